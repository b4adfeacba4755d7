"""Messages, as values: what a mail, a chat line or a notification is before it is stored.

Invariant: a draft that passes ``check_message`` can be stored: within the bounds below, no NUL, no
lone surrogate, every time with its offset.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from atom_backend.domain.limits import NAME_CHARS, unstorable
from atom_backend.errors import FieldProblem, InvalidInput

SUBJECT_CHARS = 1_000
BODY_CHARS = 1_000_000
"""More than a person writes; what is longer is a log or a file that was pasted."""
ADDRESS_CHARS = 320
"""A local part of 64, "@" and a domain of 255 octets (RFC 5321, section 4.5.3.1)."""
RECIPIENTS = 1_000
MESSAGE_ID_CHARS = 512
"""In UTF-8 these fit into a row of an index of PostgreSQL (2,704 bytes)."""
REFERENCES = 100
HEADERS = 32
HEADER_CHARS = 1_000
ATTACHMENTS = 200
FILE_NAME_CHARS = 255
MEDIA_TYPE_CHARS = 255
"""Type and subtype of at most 127 characters each (RFC 6838, section 4.2)."""


class MessageKind(StrEnum):
    EMAIL = "email"
    CHAT = "chat"
    NOTIFICATION = "notification"


class Direction(StrEnum):
    """As the owner sees it."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody who wrote or was written to; either part may be empty, not both."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Recipients:
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()

    def __iter__(self) -> Iterator[Address]:
        yield from (*self.to, *self.cc, *self.bcc)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of an attached file: ``size`` in bytes, ``sha256`` in hexadecimal digits.

    ``inline`` is set where the body shows it, ``content_id`` is how an HTML body calls it.
    """

    name: str | None
    media_type: str
    size: int
    sha256: str
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message as it was given, not yet stored.

    ``body`` is text; ``sent_at`` is aware or None. Message ids stand without angle brackets;
    ``references`` begins with the oldest. ``conversation`` is None until ``threads.place`` or the
    sender of a chat line names one.
    """

    kind: MessageKind
    sender: Address | None = None
    recipients: Recipients = Recipients()
    subject: str = ""
    body: str = ""
    sent_at: datetime | None = None
    direction: Direction = Direction.UNKNOWN
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    conversation: UUID | None = None


def direction(
    sender: Address | None, recipients: Collection[str], own: Collection[str]
) -> Direction:
    """Out where the owner wrote it, also to themselves; in where it was sent to one of ``own``.

    Addresses are compared without regard to case. What came by a mailing list names no address of
    the owner: whether that is known to be theirs is for the caller to say, not to be guessed here.
    """
    mine = {address.strip().casefold() for address in own}
    if sender is not None and sender.address.casefold() in mine:
        return Direction.OUT
    if any(address.casefold() in mine for address in recipients):
        return Direction.IN
    return Direction.UNKNOWN


def check_message(draft: MessageDraft) -> None:
    """Raises InvalidInput with a problem for every field that is wrong."""
    problems = [
        FieldProblem(f"/{name}", detail) for name, detail in _problems(draft) if detail is not None
    ]
    if problems:
        detail = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in problems)
        raise InvalidInput(f"The message is not valid: {detail}.", problems=problems)


def _problems(draft: MessageDraft) -> Iterator[tuple[str, str | None]]:
    yield "subject", _text_problem(draft.subject, SUBJECT_CHARS)
    yield "body", _text_problem(draft.body, BODY_CHARS)
    if draft.sent_at is not None and draft.sent_at.utcoffset() is None:
        yield "sent_at", "must have an offset from UTC"
    if draft.sender is not None:
        yield from _address_problems("sender", draft.sender)
    yield from _recipient_problems(draft.recipients)
    for name, message_id in (("message_id", draft.message_id), ("in_reply_to", draft.in_reply_to)):
        if message_id is not None:
            yield name, _name_problem(message_id, MESSAGE_ID_CHARS)
    yield "references", _count_problem(draft.references, REFERENCES)
    for place, message_id in enumerate(draft.references):
        yield f"references/{place}", _name_problem(message_id, MESSAGE_ID_CHARS)
    yield "headers", _count_problem(draft.headers, HEADERS)
    for name, value in draft.headers.items():
        yield "headers", _name_problem(name, HEADER_CHARS) or _text_problem(value, HEADER_CHARS)
    yield "attachments", _count_problem(draft.attachments, ATTACHMENTS)
    for place, attachment in enumerate(draft.attachments):
        yield from _attachment_problems(f"attachments/{place}", attachment)


def _recipient_problems(recipients: Recipients) -> Iterator[tuple[str, str | None]]:
    yield "recipients", _count_problem(tuple(recipients), RECIPIENTS)
    lists = {"to": recipients.to, "cc": recipients.cc, "bcc": recipients.bcc}
    for name, addresses in lists.items():
        for place, address in enumerate(addresses):
            yield from _address_problems(f"recipients/{name}/{place}", address)


def _address_problems(where: str, one: Address) -> Iterator[tuple[str, str | None]]:
    if not one.name.strip() and not one.address.strip():
        yield where, "must have a name or an address"
    yield f"{where}/name", _text_problem(one.name, NAME_CHARS)
    yield f"{where}/address", _text_problem(one.address, ADDRESS_CHARS)


def _attachment_problems(where: str, one: Attachment) -> Iterator[tuple[str, str | None]]:
    yield f"{where}/media_type", _name_problem(one.media_type, MEDIA_TYPE_CHARS)
    if one.name is not None:
        yield f"{where}/name", _name_problem(one.name, FILE_NAME_CHARS)
    if one.content_id is not None:
        yield f"{where}/content_id", _name_problem(one.content_id, MESSAGE_ID_CHARS)


def _count_problem(things: Collection[object], most: int) -> str | None:
    return f"at most {most}" if len(things) > most else None


def _name_problem(name: str, longest: int) -> str | None:
    return _text_problem(name, longest) if name.strip() else "must not be blank"


def _text_problem(text: str, longest: int) -> str | None:
    return f"at most {longest} characters" if len(text) > longest else unstorable(text)
