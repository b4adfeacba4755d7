"""From an uploaded file to the values of a document: extraction, and a title if none was given."""

from __future__ import annotations

from pathlib import PurePosixPath

from atom_backend.domain.limits import TITLE_CHARS
from atom_backend.domain.ports import Extractor
from atom_backend.domain.resources.rules import Values
from atom_backend.errors import InvalidInput


class Uploads:
    """Reads files."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def read(self, content: bytes, name: str | None, described: Values) -> Values:
        """What the file says, besides what its user has ``described``.

        Raises InvalidInput, UnsupportedMedia or TooLarge, each saying what to change.
        """
        extracted = self._extractor.extract(content, name=name)
        if not extracted.text.strip():
            raise InvalidInput("There is no text in this file.", code="no_text")
        return {
            **described,
            "title": described.get("title") or _title(extracted.title, name),
            "text": extracted.text,
            "content_type": extracted.content_type,
            "byte_size": len(content),
        }


def _title(found: str | None, name: str | None) -> str:
    stem = PurePosixPath((name or "").replace("\\", "/")).stem
    title = " ".join((found or stem).replace("\x00", " ").split())
    return title[:TITLE_CHARS] or "Untitled"
