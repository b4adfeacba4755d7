"""From sources to projections: chunk, embed, assemble. Touches no store.

Invariant: a projection is complete or does not exist; a chunk that could not be embedded is an
error of the whole item, never a skipped row or a zero vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from atom_backend.domain.items import (
    Chunk,
    Projection,
    Source,
    Vectors,
    cut,
    document_embedding,
    embedding_text,
)
from atom_backend.domain.ports import Chunker, Embedder
from atom_backend.errors import EmbedderUnavailable, RefusedVector, StoredDataError

EMBEDDED_AT_ONCE = 32
"""Texts given to the model between two calls of ``alive``: about a second of work."""

_HARMLESS = ("one", "two", "three", "four")
"""Several, because a model may have threads of its own for these, which may be what hangs."""


class Indexer:
    """Makes projections under one index spec."""

    def __init__(self, chunker: Chunker, embedder: Embedder) -> None:
        self._chunker = chunker
        self._embedder = embedder

    @property
    def spec(self) -> str:
        """The index spec: chunker version, model fingerprint and dimension."""
        embedder = self._embedder
        return f"{self._chunker.version}|{embedder.fingerprint}|{embedder.dimension}"

    def project(self, sources: Sequence[Source], alive: Callable[[], None]) -> list[Projection]:
        """One projection a source, in order; ``alive`` is called again and again meanwhile.

        The model gets the chunks of all sources as one stream, so that many short items keep it
        as busy as one long one. Raises EmbedderUnavailable, RefusedVector, StoredDataError, and
        whatever ``alive`` raises.
        """
        if not sources:
            return []
        chunked = [self._chunks(source, alive) for source in sources]
        texts = [
            embedding_text(heading, chunk.text)
            for source, chunks in zip(sources, chunked, strict=True)
            for heading in [self._chunker.heading(source.title)]
            for chunk in chunks
        ]
        vectors = self._embed(texts, alive)
        projections: list[Projection] = []
        place = 0
        for source, chunks in zip(sources, chunked, strict=True):
            rows = vectors[place : place + len(chunks)]
            projections.append(self._assemble(source, chunks, rows))
            place += len(chunks)
        return projections

    def require_model(self) -> None:
        """Raises EmbedderUnavailable where the model is of no use even for harmless words."""
        try:
            self._embedder.embed(_HARMLESS)
        except RefusedVector as error:
            raise EmbedderUnavailable(f"The model is broken: {error.message}") from error

    def _chunks(self, source: Source, alive: Callable[[], None]) -> tuple[Chunk, ...]:
        chunks = cut(source, self._chunker.split(source.text, title=source.title))
        alive()  # a batch of long texts takes longer to cut than a lease lasts
        if not chunks:
            raise StoredDataError("the item has no text to index", code="no_text")
        return chunks

    def _embed(self, texts: Sequence[str], alive: Callable[[], None]) -> Vectors:
        parts: list[Vectors] = []
        for place in range(0, len(texts), EMBEDDED_AT_ONCE):
            parts.append(self._embedder.embed(texts[place : place + EMBEDDED_AT_ONCE]))
            alive()
        return np.concatenate(parts)

    def _assemble(self, source: Source, chunks: tuple[Chunk, ...], vectors: Vectors) -> Projection:
        return Projection(
            item_id=source.item_id,
            owner_id=source.owner_id,
            kind=source.kind,
            revision=source.revision,
            title=source.title,
            content_hash=source.content_hash,
            spec=self.spec,
            chunks=chunks,
            vectors=vectors,
            embedding=document_embedding(vectors),
        )
