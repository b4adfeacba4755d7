"""What a message may be before it is stored, and which way it went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.messaging import messages
from atom_backend.domain.messaging.messages import (
    Address,
    Attachment,
    Direction,
    MessageDraft,
    MessageKind,
    Recipients,
    check_message,
    direction,
)
from atom_backend.errors import InvalidInput

ANN = Address("Ann", "ann@example.org")
FILE = Attachment("plan.pdf", "application/pdf", 3, "00" * 32, "part1@example.org")
FULL = MessageDraft(
    kind=MessageKind.EMAIL,
    sender=ANN,
    recipients=Recipients(to=(ANN,), cc=(ANN,), bcc=(ANN,)),
    subject="s" * messages.SUBJECT_CHARS,
    body="b" * messages.BODY_CHARS,
    sent_at=datetime(2026, 11, 22, tzinfo=UTC),
    message_id="m" * messages.MESSAGE_ID_CHARS,
    in_reply_to="1@example.org",
    references=("1@example.org",) * messages.REFERENCES,
    headers={"list-id": "h" * messages.HEADER_CHARS},
    attachments=(FILE,) * messages.ATTACHMENTS,
)


@pytest.mark.parametrize("draft", [FULL, MessageDraft(kind=MessageKind.CHAT)])
def test_the_fullest_and_the_emptiest_message_can_be_stored(draft: MessageDraft) -> None:
    check_message(draft)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "s" * (messages.SUBJECT_CHARS + 1)),
        ("subject", "\x00"),
        ("body", "b" * (messages.BODY_CHARS + 1)),
        ("body", "half \ud800"),
        ("sent_at", datetime(2026, 11, 22)),
        ("sender", Address(" ", "")),
        ("sender/name", Address("n" * (NAME_CHARS + 1), "")),
        ("sender/address", Address("", "a" * (messages.ADDRESS_CHARS + 1))),
        ("recipients", Recipients(to=(ANN,) * messages.RECIPIENTS, bcc=(ANN,))),
        ("recipients/to/1", Recipients(to=(ANN, Address("", "")))),
        ("recipients/cc/0/name", Recipients(cc=(Address("\x00", ""),))),
        ("recipients/bcc/0/address", Recipients(bcc=(Address("", "\ud800"),))),
        ("message_id", " "),
        ("message_id", "m" * (messages.MESSAGE_ID_CHARS + 1)),
        ("in_reply_to", ""),
        ("references", ("1",) * (messages.REFERENCES + 1)),
        ("references/1", ("1", "\x00")),
        ("headers", {str(number): "" for number in range(messages.HEADERS + 1)}),
        ("headers", {"list-id": "h" * (messages.HEADER_CHARS + 1)}),
        ("headers", {"\x00": "value"}),
        ("attachments", (FILE,) * (messages.ATTACHMENTS + 1)),
        ("attachments/0/name", (replace(FILE, name=""),)),
        ("attachments/0/media_type", (replace(FILE, media_type="\x00"),)),
        ("attachments/0/content_id", (replace(FILE, content_id="\ud800"),)),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(field: str, value: Any) -> None:
    draft = replace(FULL, **{field.partition("/")[0]: value})
    with pytest.raises(InvalidInput) as refused:
        check_message(draft)
    assert {problem.pointer for problem in refused.value.problems} >= {f"/{field}"}


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"subject: .*; body: ") as refused:
        check_message(MessageDraft(kind=MessageKind.CHAT, subject="\x00", body="\ud800"))
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("sender", "recipients", "own", "way"),
    [
        ("ann@example.org", ["bob@example.org"], ["bob@example.org"], Direction.IN),
        ("ann@example.org", ["bob@example.org"], [" ANN@Example.ORG "], Direction.OUT),
        ("Ann@Example.org", ["ann@example.org"], ["ann@example.org"], Direction.OUT),
        (None, ["Bob@example.org"], ["bob@example.org"], Direction.IN),
        ("ann@example.org", ["list@example.org"], ["bob@example.org"], Direction.UNKNOWN),
        ("ann@example.org", ["bob@example.org"], [], Direction.UNKNOWN),
        (None, [], [], Direction.UNKNOWN),
    ],
)
def test_the_owners_addresses_tell_the_direction(
    sender: str | None, recipients: list[str], own: list[str], way: Direction
) -> None:
    author = Address("", sender) if sender else None
    assert direction(author, recipients, own) is way
