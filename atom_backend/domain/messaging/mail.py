"""A mail that was read: its message, its files, and what was doubtful about it.

Invariant: every place where the reader had to choose, cut or give up has a note; a mail without
notes says exactly what its sender wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from atom_backend.domain.messaging.messages import MessageDraft


class Doubt(StrEnum):
    """What can be doubtful; the values are stable."""

    CHARSET_UNDECLARED = "charset_undeclared"
    """Bytes beyond ASCII under no charset: read as the one that the note names."""
    CHARSET_UNKNOWN = "charset_unknown"
    """No such charset: read as the one that the note names."""
    CHARSET_WRONG = "charset_wrong"
    """The bytes are not of the declared charset: read as the one that the note names."""
    CHARACTERS_LOST = "characters_lost"
    """What could not be read or stored stands as U+FFFD."""
    DATE_MISSING = "date_missing"
    DATE_UNREADABLE = "date_unreadable"
    DATE_ZONE_UNKNOWN = "date_zone_unknown"
    """The time is taken for UTC."""
    MESSAGE_ID_MISSING = "message_id_missing"
    MESSAGE_ID_UNREADABLE = "message_id_unreadable"
    REFERENCES_CUT = "references_cut"
    ADDRESS_MISSING = "address_missing"
    """Nobody is named as the sender."""
    ADDRESS_UNREADABLE = "address_unreadable"
    """The text stands as a name without an address."""
    RECIPIENTS_CUT = "recipients_cut"
    HEADER_DAMAGED = "header_damaged"
    """An encoded word (RFC 2047) stands as it was written."""
    HEADER_CUT = "header_cut"
    MIME_DAMAGED = "mime_damaged"
    MIME_CUT = "mime_cut"
    """Too many parts, or too deep: the body and the files were left out."""
    ENCODING_DAMAGED = "encoding_damaged"
    """A transfer encoding was broken: what could be decoded was kept."""
    HTML_UNREADABLE = "html_unreadable"
    """The HTML body gave no text and was left out."""
    BODY_CUT = "body_cut"
    FILES_CUT = "files_cut"
    BORDER_UNSURE = "border_unsure"
    """Its separator in the mbox was odd or missing: it may begin or end elsewhere."""
    MESSAGE_CUT = "message_cut"
    """The message was larger than what is read; its end is missing."""


@dataclass(frozen=True, slots=True)
class Note:
    """``where`` names a header field or a part, ``detail`` is for people and quotes no content."""

    doubt: Doubt
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mail:
    """``files`` are the bytes of ``message.attachments``, in their order."""

    message: MessageDraft
    files: tuple[bytes, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """One message of an mbox file, as bytes.

    ``number`` counts from 1; ``offset`` is the place in the file, in bytes, of its separator line.
    ``cut`` says that the message was larger than ``content``; ``damaged`` that its separator was
    missing or not as it should be, so that the border may be wrong.
    """

    number: int
    offset: int
    content: bytes
    cut: bool
    damaged: bool
