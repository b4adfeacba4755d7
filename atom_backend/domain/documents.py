"""Documents, as values: what a user gives, what is stored, what is answered.

``revision`` counts every write and is the ETag. ``content_revision`` is the revision at which
title or text last changed: only that is projected into the vector store, so that a new tag does
not embed the text again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from atom_backend.domain.index_state import IndexState


class Unset:
    """The type of ``UNSET``: a field that a change does not mention."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document as its user gave it, checked but not stored."""

    title: str
    text: str
    content_type: str
    byte_size: int
    source: str | None = None
    external_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """A partial change; ``UNSET`` leaves a field alone, ``None`` clears one that may be empty."""

    title: str | Unset = UNSET
    text: str | Unset = UNSET
    content_type: str | Unset = UNSET
    byte_size: int | Unset = UNSET
    source: str | Unset | None = UNSET
    external_id: str | Unset | None = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    metadata: dict[str, Any] | Unset = UNSET

    def as_columns(self) -> dict[str, Any]:
        """The mentioned fields by name."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in every.items() if value is not UNSET}


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document without its text. ``byte_size`` counts the content as it was given."""

    id: UUID
    owner_id: UUID
    revision: int
    content_revision: int
    content_hash: bytes
    title: str
    content_type: str
    byte_size: int
    source: str | None
    external_id: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    index_state: IndexState
    index_reason: str | None
    chunk_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentListing:
    """Which documents to list: newest first, ``limit`` of them, after the one named ``after``."""

    limit: int
    after: UUID | None = None
    tag: str | None = None
    index_state: IndexState | None = None
    updated_since: datetime | None = None
