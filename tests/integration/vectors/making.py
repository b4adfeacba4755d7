"""Projections to store."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from atom_backend.domain.items import Kind, Projection, Source, Span, Vectors, cut
from atom_backend.vectors.store import LanceVectorStore

DIMENSION = 16
PROCESSED = "processed_documents"
CHUNKS = "document_chunks"
POINTER = f"{CHUNKS}.current"
LAYOUT: dict[str, Any] = {
    "dimension": DIMENSION,
    "processed_table": PROCESSED,
    "chunks_table": CHUNKS,
}

_RANDOM = np.random.default_rng(20)


def unit_vectors(count: int) -> Vectors:
    """Random directions; the same in every run."""
    vectors = _RANDOM.normal(size=(count, DIMENSION))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


def project(
    owner_id: UUID,
    texts: Sequence[str] = ("one two ", "three four"),
    *,
    item_id: UUID | None = None,
    revision: int = 1,
    title: str = "",
    vectors: Vectors | None = None,
) -> Projection:
    """The projection of an item whose passages are ``texts``."""
    ends = np.cumsum([len(text) for text in texts]).tolist()
    spans = [Span(end - len(text), end) for end, text in zip(ends, texts, strict=True)]
    source = Source(
        item_id or uuid.uuid4(), owner_id, Kind.DOCUMENT, revision, title, "".join(texts)
    )
    vectors = unit_vectors(len(texts)) if vectors is None else vectors
    return Projection(
        item_id=source.item_id,
        owner_id=owner_id,
        kind=source.kind,
        revision=revision,
        title=title,
        content_hash=source.content_hash,
        spec="chunker-1 model-1 16",
        chunks=cut(source, spans),
        vectors=vectors,
        embedding=unit_vectors(1)[0],
    )


def put(store: LanceVectorStore, projections: Sequence[Projection], fence: int = 1) -> None:
    """Bring the items to these revisions, as the coordinator does."""
    store.add_chunks(projections, fence)
    store.add_processed(projections, fence)
    store.drop_older([projection.item_id for projection in projections], fence)
