"""Reads one mail: bytes in the format of RFC 5322 with MIME (RFC 2045 to 2049) in, a draft out.

HTML is read by the extractor, in a process of its own; the rest is Python's ``email``, bounded.
Invariant: every draft that comes out passes ``check_message``; what was doubtful is in the notes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from atom_backend.domain.messaging.mail import Doubt, Mail
from atom_backend.domain.messaging.messages import BODY_CHARS
from atom_backend.domain.ports import Extractor
from atom_backend.errors import RequestError
from atom_backend.extraction.mails.contents import Contents, Piece, contents_of
from atom_backend.extraction.mails.envelope import envelope
from atom_backend.extraction.mails.mime import MimeTooDeep, Part, parse, parse_headers
from atom_backend.extraction.mails.notes import Notes

MAX_HTML_CHARS: Final = 4 * BODY_CHARS
"""Of an HTML body: marks take several times the space of the text."""

# What makes the extractor see HTML, however the sender's begins.
_HTML = "<!doctype html>\n"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


class MimeMailReader:
    """Reads mails of any origin; for any number of threads."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def read(self, content: bytes, *, own: Collection[str] = (), cut: bool = False) -> Mail:
        """``own`` are the addresses of the owner; ``cut`` says that the end is missing.

        Raises InvalidInput ``malformed_message`` for what is no mail, TooLarge
        ``message_too_large``; DependencyError where the extractor does not answer.
        """
        notes = Notes()
        if cut:
            notes.add(Doubt.MESSAGE_CUT, "message", "larger than a message may be")
        message, contents = _parsed(content, notes)
        draft = replace(
            envelope(message, own, notes),
            body=self._body(contents.pieces, notes),
            attachments=contents.attachments,
        )
        return Mail(draft, contents.files, notes.all())

    def _body(self, pieces: Iterable[Piece], notes: Notes) -> str:
        texts = (
            self._readable(piece.text, notes) if piece.is_html else piece.text for piece in pieces
        )
        trimmed = (text.strip("\n").rstrip() for text in texts)
        body = "\n\n".join(text for text in trimmed if text)
        if len(body) > BODY_CHARS:
            notes.add(Doubt.BODY_CUT, "body", f"longer than {BODY_CHARS:,} characters")
        return body[:BODY_CHARS]

    def _readable(self, html: str, notes: Notes) -> str:
        """HTML as Markdown, or "" where it has no text."""
        if not html.strip():
            return ""
        if len(html) > MAX_HTML_CHARS:
            notes.add(Doubt.BODY_CUT, "text/html", f"longer than {MAX_HTML_CHARS:,} characters")
        source = _HTML + _CONTROLS.sub(" ", html[:MAX_HTML_CHARS])
        try:
            return self._extractor.extract(source.encode()).text
        except RequestError as error:
            notes.add(Doubt.HTML_UNREADABLE, "text/html", error.code)
            return ""


def _parsed(content: bytes, notes: Notes) -> tuple[Part, Contents]:
    try:
        message = parse(content)
    except MimeTooDeep:
        notes.add(Doubt.MIME_CUT, "message", "too many parts, or too many levels of them")
        return parse_headers(content), Contents()
    return message, contents_of(message, notes)
