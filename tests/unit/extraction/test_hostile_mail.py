"""No mail, however broken or large, crashes the reader, starves it or gets around the bounds.

Each of these took minutes or the whole stack before it was bounded: the suite's time limit judges.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import ATTACHMENTS, BODY_CHARS
from atom_backend.errors import InvalidInput, TooLarge
from atom_backend.extraction.mails import fields, mime
from atom_backend.extraction.mails.notes import MAX_NOTES
from tests.unit.extraction.mails import HEAD, doubts, mail, multipart, read

MILLION = 1_000_000


def nested(levels: int) -> bytes:
    opened = (
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
        for level in range(levels)
    )
    return HEAD + b"".join(opened) + b"\nHello"


@pytest.mark.parametrize(
    "field",
    [
        b"Content-Type: text/plain" + b";" * MILLION,
        b'Content-Type: text/plain; a="' + b'a=";' * MILLION,
        b"Content-Disposition: attachment; filename*" + b"9" * 5_000 + b"=a",
        b"Content-Disposition: attachment; filename*=idna''%FF.xn--%FF",
        b"Content-Disposition: attachment; filename*=a; filename*0*=b",
        b"Content-Type: multipart/mixed; boundary*=\xff''b",
        b"Content-Type: multipart/mixed; boundary*=a\x00''b",
        b"To: " + b"(" * MILLION,
        b"To: " + b"a:" * 199,
        b"To: " + b"a," * MILLION,
        b"To: a@x\n" * 100_000 + b"To: a@x",
        b"Subject: " + b"=?a?q?" * MILLION,
        b"References: " + b"<a@x " * MILLION,
        b"Date: " + b"1" * MILLION,
    ],
    ids=lambda field: field[:24].decode(),
)
def test_no_field_takes_more_than_its_length(field: bytes) -> None:
    assert read(field + b"\n" + mail()).message.message_id == "1@example.org"


@pytest.mark.parametrize("label", [b"\xff", b"a\x00", b"idna", b"punycode", b"hex", b"\xe9" * 99])
def test_no_declared_charset_breaks_the_reading_of_bytes(label: bytes) -> None:
    found = read(mail(b"Content-Type: text/plain; charset=" + label, body=b"na\xc3\xafve"))
    assert found.message.body == "naïve"
    assert Doubt.CHARSET_UNKNOWN in doubts(found)


@pytest.mark.parametrize("field", [b"Content-Type: a/b; c=", b"To: ", b"Reply-To: "])
def test_a_field_that_was_cut_is_noted(field: bytes) -> None:
    assert Doubt.HEADER_CUT in doubts(read(field + b"x" * 100_000 + b"\n" + mail()))


@pytest.mark.parametrize(
    "given",
    [b"Content-Type: text/plain" + b";" * mime.MAX_PARAMETERS, b"To: a@x\n" * 101 + b"To: a@x"],
)
def test_more_parameters_or_fields_than_are_read_are_noted(given: bytes) -> None:
    assert doubts(read(given + b"\n" + mail())) == {Doubt.HEADER_CUT}


def test_of_fields_with_one_name_so_many_are_read_and_no_more() -> None:
    found = read(b"To: a@x\n" * 2 * fields.MAX_FIELDS + mail())
    assert len(found.message.recipients.to) == fields.MAX_FIELDS


def test_parts_within_parts_are_read_to_a_depth_and_the_rest_is_left_out_and_noted() -> None:
    assert read(nested(mime.MAX_DEPTH - 1)).message.body == "Hello"
    for levels in (mime.MAX_DEPTH, 5_000):
        found = read(nested(levels))
        assert (found.message.subject, found.message.body) == ("Plan", "")
        assert doubts(found) == {Doubt.MIME_CUT}


def test_so_many_parts_are_read_and_no_more() -> None:
    few = multipart(b"mixed", *[b"\nx"] * (mime.MAX_PARTS - 1))
    many = multipart(b"mixed", *[b"\nx"] * mime.MAX_PARTS)
    assert doubts(read(HEAD + few)) == set()
    assert doubts(read(HEAD + many)) == {Doubt.MIME_CUT}


def test_so_many_files_are_kept_and_no_more() -> None:
    file = b"Content-Type: image/png\n\nx"
    found = read(HEAD + multipart(b"mixed", *[file] * (ATTACHMENTS + 1)))
    assert len(found.files) == ATTACHMENTS
    assert doubts(found) == {Doubt.FILES_CUT}


def test_messages_within_messages_are_not_opened() -> None:
    within = b"From: a@x\nContent-Type: message/rfc822\n\n" * 10_000
    found = read(within)
    assert len(found.files) == 1
    assert found.files[0] == within[within.index(b"\n\n") + 2 :]


def test_a_body_that_is_too_long_is_cut_and_noted() -> None:
    found = read(mail(body=b"x" * (BODY_CHARS + 1)))
    assert len(found.message.body) == BODY_CHARS
    assert doubts(found) == {Doubt.BODY_CUT}


def test_html_that_is_too_long_is_cut_before_it_is_read() -> None:
    found = read(mail(b"Content-Type: text/html", body=b"a" + b" " * 4 * BODY_CHARS + b"b"))
    assert (found.message.body, doubts(found)) == ("a", {Doubt.BODY_CUT})


@pytest.mark.parametrize(
    "body", [b"x" * mime.MAX_BYTES, b"\n" * mime.MAX_LINES, b"\r" * mime.MAX_LINES]
)
def test_a_message_that_is_too_large_is_refused_with_advice(body: bytes) -> None:
    with pytest.raises(TooLarge, match="without its largest attachments") as refused:
        read(mail(body=body))
    assert refused.value.code == "message_too_large"


def test_a_mail_has_so_many_notes_and_no_more() -> None:
    words = b" ".join(b"=?c%d?Q?x?=" % number for number in range(10 * MAX_NOTES))
    assert len(read(b"Subject: " + words + b"\n" + mail()).notes) == MAX_NOTES


PIECES = [
    *(b"\n", b"\r\n", b"\r", b"--b\n", b"--b--\n", b"\n\n", b" ", b";", b"\x00", b"\xff\xfe"),
    *(b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Message-ID: <", b"References: ", b"<a@x>"),
    *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n"),
    *(b"Content-Type: multipart/alternative; boundary=b\n", b"Content-Type: text/html\n"),
    *(b"Content-Type: text/plain; charset=", b"utf-7", b"hz", b"utf-16", b"; format=flowed"),
    *(b"Content-Transfer-Encoding: ", b"base64\n", b"quoted-printable\n", b"uuencode\n"),
    *(b"Content-Disposition: attachment; filename*0*=", b"utf-8''%ff", b'"', b"(", b"<b>", b"="),
    *(
        b"=?utf-8?b?//8?=",
        b"=?x?q?=00?=",
        b"+2AA-",
        b"begin 644 x\n",
        b"#0V%T\n",
        b"22 Nov 2026 8:0",
    ),
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=40).map(b"".join))
def test_whatever_the_bytes_a_mail_is_read_or_refused(content: bytes) -> None:
    with suppress(InvalidInput):
        read(content)
    read(HEAD + content)
