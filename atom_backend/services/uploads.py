"""From an uploaded file to a document draft: extraction, and a title where none was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from atom_backend.domain.documents import DocumentDraft
from atom_backend.domain.limits import TITLE_CHARS
from atom_backend.domain.ports import Extractor
from atom_backend.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and what its user said about it."""

    content: bytes
    name: str | None
    title: str | None = None
    source: str | None = None
    external_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


class Uploads:
    """Turns files into drafts."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def draft(self, upload: Upload) -> DocumentDraft:
        """Raises InvalidInput, UnsupportedMedia or TooLarge, each saying what to change."""
        extracted = self._extractor.extract(upload.content, name=upload.name)
        if not extracted.text.strip():
            raise InvalidInput("There is no text in this file.", code="no_text")
        return DocumentDraft(
            title=upload.title or _title(extracted.title, upload.name),
            text=extracted.text,
            content_type=extracted.content_type,
            byte_size=len(upload.content),
            source=upload.source,
            external_id=upload.external_id,
            tags=upload.tags,
            metadata=upload.metadata,
        )


def _title(found: str | None, name: str | None) -> str:
    stem = PurePosixPath((name or "").replace("\\", "/")).stem
    title = " ".join((found or stem).replace("\x00", " ").split())
    return title[:TITLE_CHARS] or "Untitled"
