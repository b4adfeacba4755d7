"""Items, their chunks, and the projection of an item into the vector store.

An item is any searchable thing. One mechanism indexes all kinds; a kind only says how its row
becomes a title and a text. Invariant: ``source.text[chunk.start:chunk.end] == chunk.text``.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Embeddings: shape (n, dimension), every row of length 1."""

Vector = NDArray[np.float32]
"""One embedding: shape (dimension,), of length 1."""

LENGTH_TOLERANCE = 1e-3
"""By how much the length of an embedding may differ from 1."""


class Kind(StrEnum):
    """The kinds of searchable things."""

    DOCUMENT = "document"
    TASK = "task"
    MEMORY = "memory"
    MESSAGE = "message"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range ``[start, end)`` of code points in a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """What an item says at one revision, as PostgreSQL holds it."""

    item_id: UUID
    owner_id: UUID
    kind: Kind
    revision: int
    title: str
    text: str

    @property
    def content_hash(self) -> bytes:
        return content_hash(self.title, self.text)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage of a source, cut so that the model reads all of it."""

    chunk_id: UUID
    ordinal: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Projection:
    """What the vector store shall hold of one item at one revision.

    ``vectors`` has one row a chunk, ``embedding`` is the document-level vector, ``spec`` names
    the chunker, the model and the dimension that made them.
    """

    item_id: UUID
    owner_id: UUID
    kind: Kind
    revision: int
    title: str
    content_hash: bytes
    spec: str
    chunks: tuple[Chunk, ...]
    vectors: Vectors
    embedding: Vector


def content_hash(title: str, text: str) -> bytes:
    """SHA-256 over title and text, unambiguous at their border: 32 bytes."""
    digest = hashlib.sha256()
    encoded = title.encode()
    digest.update(len(encoded).to_bytes(8, "big"))
    digest.update(encoded)
    digest.update(text.encode())
    return digest.digest()


def cut(source: Source, spans: list[Span]) -> tuple[Chunk, ...]:
    """The chunks of a source; their identifiers depend on item, revision and ordinal alone."""
    return tuple(
        Chunk(
            chunk_id=uuid.uuid5(source.item_id, f"{source.revision}:{ordinal}"),
            ordinal=ordinal,
            start=span.start,
            end=span.end,
            text=source.text[span.start : span.end],
        )
        for ordinal, span in enumerate(spans)
    )


def embedding_text(title: str, chunk: str) -> str:
    """What the model reads for a chunk: a passage is easier to find with its title before it."""
    return f"{title}\n{chunk}" if title else chunk


def document_embedding(vectors: Vectors) -> Vector:
    """The document-level vector: the mean of the chunks' vectors, scaled to length 1.

    Chunks that cancel each other out have no mean direction; the first one then speaks for all,
    because a zero vector must never be stored.
    """
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        return np.asarray(vectors[0], dtype=np.float32)
    return np.asarray(mean / length, dtype=np.float32)
