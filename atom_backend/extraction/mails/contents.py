"""Sorts the parts of a mail into what is read (the body) and what is attached (files).

Invariant: every part that is not shown as the body is a file, except the other versions of a
``multipart/alternative``; nothing is decoded twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import errors
from hashlib import sha256

from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import (
    ATTACHMENTS,
    FILE_NAME_CHARS,
    MEDIA_TYPE_CHARS,
    MESSAGE_ID_CHARS,
    Attachment,
)
from atom_backend.extraction.mails import fields
from atom_backend.extraction.mails.charsets import decode
from atom_backend.extraction.mails.flowed import unflowed
from atom_backend.extraction.mails.mime import Part
from atom_backend.extraction.mails.notes import Notes

_TEXTS = ("text/plain", "text/html")
_UNENCODED = {"", "7bit", "8bit", "binary"}
_ENCODED = {"quoted-printable", "base64", "x-uuencode", "uuencode", "uue", "x-uue"}
_DAMAGED = (
    errors.InvalidBase64PaddingDefect,
    errors.InvalidBase64CharactersDefect,
    errors.InvalidBase64LengthDefect,
)
_BROKEN_QUOTE = re.compile(r"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\r|\n|\Z))")
_MEDIA_TYPE = re.compile(r"[a-z0-9][\w!#$&^.+-]*/[a-z0-9][\w!#$&^.+-]*", re.ASCII)
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the body, with LF line ends."""

    text: str
    is_html: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """The body and the files of one message; ``files`` and ``attachments`` go together."""

    pieces: tuple[Piece, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    files: tuple[bytes, ...] = ()


def contents_of(message: Part, notes: Notes) -> Contents:
    """The contents of a whole message; never raises."""
    sorting = _Sorting(message, notes)
    pieces = sorting.pieces(message)
    return Contents(tuple(pieces), tuple(sorting.attachments), tuple(sorting.files))


class _Sorting:
    """Walks over the tree of parts once."""

    def __init__(self, root: Part, notes: Notes) -> None:
        self._root = root
        self._notes = notes
        self.attachments: list[Attachment] = []
        self.files: list[bytes] = []

    def pieces(self, part: Part) -> list[Piece]:
        """The pieces of the body in ``part``; what else is in it joins the files."""
        if not part.parts:
            leaf = self._leaf(part)
            self._note_damage(part)
            return leaf
        self._note_damage(part)
        gathered = [self.pieces(child) for child in part.parts]
        if part.declared_type == "multipart/alternative":
            return _best(gathered)
        return [piece for pieces in gathered for piece in pieces]

    def _leaf(self, part: Part) -> list[Piece]:
        kind = part.declared_type
        name = self._name(part)
        content = self._decoded(part)
        shown = part.get_content_disposition() != "attachment"
        if part is self._root:
            is_body = kind.startswith(("text/", "multipart/"))
        else:
            is_body = name is None and (kind in _TEXTS or kind.startswith("multipart/"))
        if shown and is_body:
            return [self._piece(part, content)]
        self._attach(part, name, content, shown)
        return []

    def _attach(self, part: Part, name: str | None, content: bytes, shown: bool) -> None:
        if len(self.files) == ATTACHMENTS:
            self._notes.add(Doubt.FILES_CUT, "attachments", f"more than {ATTACHMENTS} files")
            return
        content_id = fields.raw(part, "content-id", self._notes).strip(" \t\r\n<>") or None
        if content_id is not None and len(content_id) > MESSAGE_ID_CHARS:
            content_id = None
        media_type = part.declared_type
        if not _MEDIA_TYPE.fullmatch(media_type) or len(media_type) > MEDIA_TYPE_CHARS:
            media_type = _UNKNOWN_TYPE
        inline = shown and (content_id is not None or part.get_content_disposition() == "inline")
        digest = sha256(content).hexdigest()
        self.attachments.append(
            Attachment(name, media_type, len(content), digest, content_id, inline)
        )
        self.files.append(content)

    def _name(self, part: Part) -> str | None:
        """The name of a file, without folders (RFC 2183, section 2.3)."""
        for parameter, field in (("filename", "content-disposition"), ("name", "content-type")):
            given = fields.parameter(part, parameter, field, self._notes) or ""
            name = re.split(r"[\\/]", given)[-1].strip()[:FILE_NAME_CHARS].strip()
            if name:
                return name
        return None

    def _piece(self, part: Part, content: bytes) -> Piece:
        is_html = part.declared_type == "text/html"
        label = fields.parameter(part, "charset", "content-type", self._notes)
        decoded = decode(content, label)
        self._notes.extend(part.declared_type, decoded)
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        if not is_html and self._says(part, "format", "flowed"):
            text = unflowed(text, delsp=self._says(part, "delsp", "yes"))
        return Piece(text, is_html)

    def _says(self, part: Part, parameter: str, value: str) -> bool:
        given = fields.parameter(part, parameter, "content-type", self._notes)
        return (given or "").lower() == value

    def _decoded(self, part: Part) -> bytes:
        """The bytes of a part without its transfer encoding (RFC 2045, section 6)."""
        field = fields.raw(part, "content-transfer-encoding", self._notes)
        encoding = re.split(r"[\s;(]", field.strip().lower())[0]
        if encoding not in _UNENCODED | _ENCODED:
            self._damaged(part, "unknown transfer encoding")
        if encoding != field:
            del part["content-transfer-encoding"]
            part["content-transfer-encoding"] = encoding
        if encoding == "quoted-printable" and _BROKEN_QUOTE.search(part.source):
            self._damaged(part, "broken quoted-printable")
        content = part.get_payload(decode=True)
        if any(isinstance(defect, _DAMAGED) for defect in part.defects):
            self._damaged(part, "broken base64")
        if "uu" in encoding and content == part.source.encode("ascii", "surrogateescape"):
            self._damaged(part, "broken uuencode")
        return content if isinstance(content, bytes) else b""

    def _damaged(self, part: Part, detail: str) -> None:
        self._notes.add(Doubt.ENCODING_DAMAGED, part.declared_type, detail)

    def _note_damage(self, part: Part) -> None:
        found = (defect for defect in part.defects if not isinstance(defect, _DAMAGED))
        for defect in found:
            detail = (type(defect).__doc__ or type(defect).__name__).partition("\n")[0]
            self._notes.add(Doubt.MIME_DAMAGED, part.declared_type, detail)


def _best(alternatives: Sequence[list[Piece]]) -> list[Piece]:
    """The first version with plain text, else the first with any."""
    for html_too in (False, True):
        for pieces in alternatives:
            if any(piece.text.strip() and (html_too or not piece.is_html) for piece in pieces):
                return pieces
    return []
