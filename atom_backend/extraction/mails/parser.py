"""A mail as the reading child gives it to its parent: message, notes and files, as JSON.

Invariant: ``found(read(content, ...).text)`` is what ``MimeMailReader`` makes of the content, with
or without the bytes of its files.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from atom_backend.domain.extracted import Extracted
from atom_backend.domain.messaging.mail import Mail, Note
from atom_backend.domain.messaging.messages import MessageDraft, check_message
from atom_backend.errors import InvalidInput, TooLarge
from atom_backend.extraction import html, refusals
from atom_backend.extraction.mails.mail import MAX_HTML_CHARS, MimeMailReader
from atom_backend.extraction.media import HTML
from atom_backend.extraction.parsed import Parsed


@dataclass(frozen=True, slots=True)
class _Wire:
    """``files`` are in base64. ``refused``: what is no mail, by the error's class, code and
    message: a process that met no worse can go on.
    """

    message: MessageDraft | None = None
    notes: tuple[Note, ...] = ()
    files: tuple[str, ...] = ()
    refused: tuple[Literal["InvalidInput", "TooLarge"], str, str] | None = None


_REFUSALS = {"InvalidInput": InvalidInput, "TooLarge": TooLarge}


class _HtmlExtractor:
    """Reads the HTML of mails in the process that it is called in."""

    def extract(self, content: bytes, *, name: str | None = None) -> Extracted:
        return Extracted(html.read(content, MAX_HTML_CHARS).text, HTML, name)


def read(content: bytes, max_chars: int, *, own: Sequence[str], cut: bool, files: bool) -> Parsed:
    """Raises InvalidInput ``extraction_limit``."""
    try:
        mail = MimeMailReader(_HtmlExtractor()).read(content, own=own, cut=cut)
    except (InvalidInput, TooLarge) as error:
        kind: Literal["InvalidInput", "TooLarge"]
        kind = "TooLarge" if isinstance(error, TooLarge) else "InvalidInput"
        wire = _Wire(refused=(kind, error.code, error.message))
    else:
        kept = tuple(b64encode(one).decode() for one in mail.files) if files else ()
        wire = _Wire(mail.message, mail.notes, kept)
    text = _adapter().dump_json(wire)
    if len(text) > max_chars:
        raise refusals.limit("more room for its files")
    return Parsed(text.decode(), None)


def found(text: str) -> Mail:
    """Raises what ``MimeMailReader.read`` raised, and ValueError where the child says what it
    cannot have found.
    """
    wire = _adapter().validate_json(text)
    if wire.refused is not None:
        kind, code, message = wire.refused
        raise _REFUSALS[kind](message, code=code)
    if wire.message is None or len(wire.files) not in (0, len(wire.message.attachments)):
        raise ValueError("no mail is read like this")
    check_message(wire.message)
    files = tuple(b64decode(one, validate=True) for one in wire.files)
    return Mail(wire.message, files, wire.notes)


@cache
def _adapter() -> TypeAdapter[_Wire]:
    return TypeAdapter(_Wire)
