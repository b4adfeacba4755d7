"""The two tables, and how projections become their rows.

``content`` is what the model read for a chunk (title, newline, passage), and it is what full-text
search indexes: measured on SciFact, one column with both gives a better ranking than two columns
of which the better one counts. The passage is cut out of it again on the way back.

Invariants: every column is non-nullable, because LanceDB takes a missing column or a null vector
without a word; every vector is checked, because a zero or NaN vector is stored too and then makes
queries return nothing; every row carries the checksum of its other columns, the last of them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from atom_backend.clock import SystemClock
from atom_backend.domain.items import Projection, Vectors, embedding_text
from atom_backend.errors import RefusedVector, StoredDataError
from atom_backend.vectors.checksum import checksums

_IDENTIFIER = pa.binary(16)


AS_STORED = 0
"""A dimension: that of the tables, for a reader that does not know the model's."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tables of one generation are called, and how long a vector is."""

    dimension: int
    processed_table: str
    chunks_table: str

    @property
    def names(self) -> tuple[str, str]:
        return self.chunks_table, self.processed_table

    def at(self, number: int) -> Layout:
        """The same tables in another generation, as seen from the first, which has plain names."""
        if number == 1:
            return self
        names = (f"{name}_{number}" for name in (self.processed_table, self.chunks_table))
        return Layout(self.dimension, *names)

    def numbers(self, tables: Iterable[str]) -> set[int]:
        """The generations to which these tables belong, as seen from the first."""
        pattern = re.compile(rf"(?:{'|'.join(map(re.escape, self.names))})(?:_([1-9][0-9]*))?")
        found = (pattern.fullmatch(table) for table in tables)
        return {int(one[1] or 1) for one in found if one}

    @property
    def schemas(self) -> dict[str, Any]:
        """The pyarrow schema of each table, by its name."""
        return {
            self.chunks_table: chunks_schema(self.dimension),
            self.processed_table: processed_schema(self.dimension),
        }


def chunks_schema(dimension: int) -> Any:
    """One row a chunk; ``start`` and ``end`` are code points in the item's text."""
    return _required(
        chunk_id=_IDENTIFIER,
        document_id=_IDENTIFIER,
        owner_id=_IDENTIFIER,
        kind=pa.string(),
        revision=pa.int64(),
        fence=pa.int64(),
        ordinal=pa.int32(),
        start=pa.int64(),
        end=pa.int64(),
        title=pa.string(),
        content=pa.string(),
        vector=pa.list_(pa.float32(), dimension),
        spec=pa.string(),
        checksum=pa.int64(),
    )


def processed_schema(dimension: int) -> Any:
    """One row an item: the mark that all its chunks are in place."""
    return _required(
        document_id=_IDENTIFIER,
        owner_id=_IDENTIFIER,
        kind=pa.string(),
        revision=pa.int64(),
        fence=pa.int64(),
        chunk_count=pa.int32(),
        content_hash=pa.binary(32),
        spec=pa.string(),
        embedding=pa.list_(pa.float32(), dimension),
        written_at=pa.timestamp("us", tz="UTC"),
        checksum=pa.int64(),
    )


def chunk_rows(projections: Sequence[Projection], fence: int, dimension: int) -> Any:
    """The record batch of all chunks of these projections.

    Raises RefusedVector, or StoredDataError where chunks and vectors do not pair up.
    """
    for projection in projections:
        if len(projection.vectors) != len(projection.chunks):
            raise StoredDataError(
                f"Item {projection.item_id} has {len(projection.chunks)} chunks "
                f"but {len(projection.vectors)} vectors."
            )
    rows = [(p, chunk) for p in projections for chunk in p.chunks]
    vectors = [np.asarray(p.vectors, np.float32) for p in projections if p.chunks]
    return _batch(
        chunks_schema(dimension),
        chunk_id=[chunk.chunk_id.bytes for _, chunk in rows],
        document_id=[p.item_id.bytes for p, _ in rows],
        owner_id=[p.owner_id.bytes for p, _ in rows],
        kind=[p.kind.value for p, _ in rows],
        revision=[p.revision for p, _ in rows],
        fence=[fence] * len(rows),
        ordinal=[chunk.ordinal for _, chunk in rows],
        start=[chunk.start for _, chunk in rows],
        end=[chunk.end for _, chunk in rows],
        title=[p.title for p, _ in rows],
        content=[embedding_text(p.title, chunk.text) for p, chunk in rows],
        vector=_stacked(vectors, dimension),
        spec=[p.spec for p, _ in rows],
    )


def processed_rows(projections: Sequence[Projection], fence: int, dimension: int) -> Any:
    """The record batch with one row for each of these projections. Raises RefusedVector."""
    now = SystemClock().now()
    embeddings = [np.asarray(p.embedding, np.float32)[np.newaxis] for p in projections]
    return _batch(
        processed_schema(dimension),
        document_id=[p.item_id.bytes for p in projections],
        owner_id=[p.owner_id.bytes for p in projections],
        kind=[p.kind.value for p in projections],
        revision=[p.revision for p in projections],
        fence=[fence] * len(projections),
        chunk_count=[len(p.chunks) for p in projections],
        content_hash=[p.content_hash for p in projections],
        spec=[p.spec for p in projections],
        embedding=_stacked(embeddings, dimension),
        written_at=[now] * len(projections),
    )


def passage(title: str, content: str) -> str:
    """The chunk's own text, without the title that ``embedding_text`` put before it."""
    return content[len(embedding_text(title, "")) :]


def checked(vectors: Vectors, dimension: int) -> Vectors:
    """The same vectors. Raises RefusedVector unless each is finite, not zero, of this length."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise RefusedVector(f"Expected vectors of {dimension} numbers, got {vectors.shape}.")
    if not np.isfinite(vectors).all():
        raise RefusedVector("A vector holds NaN or an infinite number.")
    if not vectors.any(axis=1).all():
        raise RefusedVector("A vector is zero.")
    return vectors


def _stacked(vectors: Sequence[Vectors], dimension: int) -> Any:
    empty = np.empty((0, dimension), np.float32)
    stacked = np.concatenate([empty, *(checked(group, dimension) for group in vectors)])
    return pa.FixedSizeListArray.from_arrays(pa.array(stacked.ravel()), dimension)


def _required(**columns: Any) -> Any:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def _batch(schema: Any, **columns: Any) -> Any:
    arrays = [
        values if isinstance(values, pa.Array) else pa.array(values, schema.field(name).type)
        for name, values in columns.items()
    ]
    arrays.append(pa.array(checksums(arrays)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
