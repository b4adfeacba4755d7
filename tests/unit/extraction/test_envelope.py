"""Who wrote a mail, to whom, when, about what, in answer to which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import (
    ADDRESS_CHARS,
    HEADER_CHARS,
    RECIPIENTS,
    REFERENCES,
    SUBJECT_CHARS,
    Address,
    Direction,
    MessageDraft,
)
from tests.unit.extraction.mails import doubts, mail, read

ONE_MORE = REFERENCES + 1


def message(*fields: bytes) -> MessageDraft:
    """The message of a mail with these fields alone."""
    return read(b"X-Test: 1\nReceived: x\n" + b"\n".join(fields) + b"\n\nHello").message


def doubted(*fields: bytes) -> set[Doubt]:
    """What is doubtful in a sound mail, where these fields stand before its own."""
    return doubts(read(b"\n".join(fields) + b"\n" + mail()))


def test_a_sound_mail_is_read_whole() -> None:
    found = read(mail(b"Cc: c@x", b"Bcc: d@x", b"In-Reply-To: <0@x>", b"List-Id: A <a.x>")).message
    assert found.sender == Address("Ann", "ann@example.org")
    assert [one.address for one in found.recipients.to] == ["bob@example.org"]
    assert (found.recipients.cc, found.recipients.bcc) == (
        (Address("", "c@x"),),
        (Address("", "d@x"),),
    )
    assert (found.subject, found.message_id, found.in_reply_to) == ("Plan", "1@example.org", "0@x")
    assert found.sent_at == datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert found.sent_at.utcoffset() == timedelta(hours=1)
    assert found.headers == {"list-id": "A <a.x>"}


@pytest.mark.parametrize(
    ("field", "subject"),
    [
        (b"=?utf-8?Q?na=C3=AFve?=", "naïve"),
        (b"=?UTF-8*en?b?bmHDr3Zl?= plan", "naïve plan"),
        (b"=?utf-8?Q?one_?=\n =?utf-8?Q?two?= three", "one two three"),
        (b"=?utf-8?B?bmHD?= =?utf-8?B?r3Zl?=", "naïve"),
        (b"=?utf-8?Q?with spaces? yes?=", "with spaces? yes"),
        (b"=?iso-2022-jp?B?GyRCNEE7ehsoQg==?=", "漢字"),
        (b"na\xc3\xafve =?utf-8?Q?=E6=9D=B1?= plan", "naïve 東 plan"),
        (b"a\n\tb \x07\x01 c", "a b c"),
        (b"50 =?= 50 =?x", "50 =?= 50 =?x"),
    ],
)
def test_a_subject_is_one_decoded_line(field: bytes, subject: str) -> None:
    found = read(b"Subject: " + field + b"\n" + mail())
    assert (found.message.subject, found.notes) == (subject, ())


@pytest.mark.parametrize(
    ("field", "subject", "doubt"),
    [
        (b"na\xefve", "naïve", Doubt.CHARSET_UNDECLARED),
        (b"=?none?Q?a?=", "a", Doubt.CHARSET_UNKNOWN),
        (b"=?us-ascii?Q?=C3=AF?=", "ï", Doubt.CHARSET_WRONG),
        (b"a\x00b", "a\ufffdb", Doubt.CHARACTERS_LOST),
        (b"=?utf-8?Q?=00?=", "\ufffd", Doubt.CHARACTERS_LOST),
        (b"=?utf-8?B?a?=", "=?utf-8?B?a?=", Doubt.HEADER_DAMAGED),
        (b"s" * (SUBJECT_CHARS + 1), "s" * SUBJECT_CHARS, Doubt.HEADER_CUT),
    ],
)
def test_a_doubtful_subject_is_noted(field: bytes, subject: str, doubt: Doubt) -> None:
    found = read(b"Subject: " + field + b"\n" + mail())
    assert found.message.subject == subject
    assert doubts(found) == {doubt}


@pytest.mark.parametrize(
    ("field", "name", "address"),
    [
        (b"ann@x", "", "ann@x"),
        (b'"Doe, Ann" <ann@x>', "Doe, Ann", "ann@x"),
        (b"=?utf-8?Q?Doe=2C_Ann?= <ann@x>", "Doe, Ann", "ann@x"),
        (b'"=?utf-8?Q?J=C3=BCrgen?=" <j@x>', "Jürgen", "j@x"),
        (b"J\xc3\xbcrgen <j@x>", "Jürgen", "j@x"),
        (b"ann@x (Ann)", "Ann", "ann@x"),
        (b"MAILER-DAEMON <>", "MAILER-DAEMON", ""),
        (b'"a b"@[10.0.0.1]', "", '"a b"@[10.0.0.1]'),
    ],
)
def test_a_sender_has_a_name_and_an_address(field: bytes, name: str, address: str) -> None:
    assert message(b"From: " + field).sender == Address(name, address)


def test_of_several_authors_the_first_is_the_sender_and_who_sent_stands_in() -> None:
    assert message(b"From: a@x, b@x", b"Sender: c@x").sender == Address("", "a@x")
    assert message(b"Sender: c@x").sender == Address("", "c@x")
    assert message(b"Subject: x").sender is None
    assert Doubt.ADDRESS_MISSING in doubts(read(b"Subject: x\n\n"))


@pytest.mark.parametrize("field", [b"undisclosed-recipients:;", b"", b"<>", b"Group: ;"])
def test_nobody_named_is_no_doubt(field: bytes) -> None:
    assert message(b"To: " + field).recipients.to == ()
    assert doubted(b"Cc: " + field) == set()


def test_a_group_is_its_members() -> None:
    assert [one.address for one in message(b"To: team: a@x, b@x;, c@x").recipients] == [
        *("a@x", "b@x", "c@x"),
    ]


@pytest.mark.parametrize(
    "field",
    [
        b"(" * 500,
        b"(" * 199,
        b"a:" * 500,
        b"<" * 10,
        b'"',
        b"a" * 200 + b"@" + b"x" * (ADDRESS_CHARS - 200),
    ],
    ids=["comments", "open comment", "groups", "brackets", "quote", "long"],
)
def test_what_is_no_address_is_kept_as_a_name_and_noted(field: bytes) -> None:
    assert doubted(b"Cc: " + field) == {Doubt.ADDRESS_UNREADABLE}
    (kept,) = message(b"Cc: " + field).recipients
    assert kept == Address(field.decode()[: len(kept.name)], "")


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        (b"root", [Address("root", "")]),
        (b"Doe, Ann <ann@x>", [Address("Doe", ""), Address("Ann", "ann@x")]),
        (b"Ann Doe ann@x, b@x", [Address("Ann Doe ann@x", ""), Address("", "b@x")]),
        (b"a@x;b@y (c, d)", [Address("", "a@x"), Address("c, d", "b@y")]),
    ],
)
def test_one_odd_address_does_not_hide_the_others(field: bytes, kept: list[Address]) -> None:
    assert list(message(b"To: " + field).recipients) == kept


def test_a_name_that_is_too_long_is_cut_and_the_address_stays() -> None:
    (kept,) = message(b"To: " + b"n" * (NAME_CHARS + 1) + b" <a@x>").recipients
    assert kept == Address("n" * NAME_CHARS, "a@x")


def test_recipients_beyond_the_bound_are_left_out_and_noted() -> None:
    found = read(b"To: " + b"a@x," * (RECIPIENTS - 1) + b"\nCc: b@x, c@x\nDate: x\n\n")
    assert [one.address for one in found.message.recipients][-2:] == ["a@x", "b@x"]
    assert Doubt.RECIPIENTS_CUT in doubts(found)


@pytest.mark.parametrize(
    ("field", "moment"),
    [
        (b"Sun, 22 Nov 2026 08:00:00 +0100", datetime(2026, 11, 22, 7, tzinfo=UTC)),
        (b"22 Nov 2026 08:00 GMT (comment)", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (b"Sun, 22 Nov 26 08:00:00 EST", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        (b"Sun, 22 Nov 2026 08:00:00 -0000", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (
            b"Sun, 22 Nov\n 2026 08:00:00 -0730",
            datetime(2026, 11, 22, 8, tzinfo=timezone(-timedelta(hours=7, minutes=30))),
        ),
    ],
)
def test_dates_are_read_with_their_offset(field: bytes, moment: datetime) -> None:
    found = read(b"Date: " + field + b"\n" + mail())
    assert (found.message.sent_at, found.notes) == (moment, ())


def test_an_unknown_zone_is_taken_for_utc_and_noted() -> None:
    found = read(b"Date: Sun, 22 Nov 2026 08:00:00 XYZT\n" + mail())
    assert found.message.sent_at == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert doubts(found) == {Doubt.DATE_ZONE_UNKNOWN}


@pytest.mark.parametrize(
    "field",
    [
        *(b"", b",", b"yesterday", b"1" * 10_000, b"Sun, 31 Feb 2026 08:00:00 +0100"),
        *(
            b"Sun, 22 Nov 2026 08:00:00 +99999999",
            b"22 Nov 1899 08:00 GMT",
            b"22 Nov 2200 08:00 GMT",
        ),
    ],
)
def test_an_unreadable_date_is_none_and_noted(field: bytes) -> None:
    found = read(b"Date: " + field + b"\n" + mail())
    assert found.message.sent_at is None
    assert doubts(found) == {Doubt.DATE_UNREADABLE}


@pytest.mark.parametrize(
    ("field", "found", "doubt"),
    [
        (b"Message-ID: <a b>", None, Doubt.MESSAGE_ID_UNREADABLE),
        (b"Message-ID: a@b", "a@b", None),
        (b"X: y", None, Doubt.MESSAGE_ID_MISSING),
    ],
)
def test_a_message_without_an_id_is_noted(
    field: bytes, found: str | None, doubt: Doubt | None
) -> None:
    given = read(b"From: a@x\nDate: 22 Nov 2026 08:00 GMT\n" + field + b"\n\n")
    assert given.message.message_id == found
    assert doubts(given) == ({doubt} if doubt else set())


def test_references_beyond_the_bound_are_left_out_and_noted() -> None:
    ids = [b"<%d@x>" % number for number in range(ONE_MORE)]
    field = b"References: " + b"\n ".join(ids)
    references = message(field).references
    assert (len(references), references[0], references[-1]) == (REFERENCES, "0@x", "100@x")
    assert doubted(field) == {Doubt.REFERENCES_CUT}
    assert doubted(b"References: " + b"\n ".join(ids[1:])) == set()


def test_kept_headers_are_the_first_of_each_within_their_bound() -> None:
    fields = (b"List-Id: one", b"List-Id: two", b"User-Agent: " + b"u" * 2_000, b"Received: x")
    found = message(*fields, b"Precedence:").headers
    assert found == {"list-id": "one", "user-agent": "u" * HEADER_CHARS}


@pytest.mark.parametrize(
    ("own", "way"),
    [
        (["ANN@example.org"], Direction.OUT),
        (["bob@example.org"], Direction.IN),
        (["carl@example.org"], Direction.IN),
        (["dora@example.org"], Direction.UNKNOWN),
        ([], Direction.UNKNOWN),
    ],
)
def test_the_owners_addresses_tell_the_direction_also_by_where_it_was_delivered(
    own: list[str], way: Direction
) -> None:
    assert read(mail(b"Delivered-To: carl@example.org"), *own).message.direction is way
