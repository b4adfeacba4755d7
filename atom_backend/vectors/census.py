"""Reading every row of both tables, as the columns of a check.

All columns are read, because the checksum covers them all; what is handed on are identifiers,
numbers and verdicts, a batch at a time. Invariant: memory holds a few batches, whatever the size
of the tables.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atom_backend.domain.census import IDENTIFIER, KINDS, NO_KIND, ChunkRows, Column, MarkRows
from atom_backend.domain.items import LENGTH_TOLERANCE
from atom_backend.vectors import filters
from atom_backend.vectors.checksum import CHECKSUM, checksums, fixed
from atom_backend.vectors.translate import LANCE_ERRORS, translated

_BATCH_ROWS = 8_192
"""Rows in memory at once; LanceDB reads some such batches ahead."""

_KINDS = pa.array([kind.value for kind in KINDS])


class Scan:
    """The record batches of one table at one version, in the order in which they come."""

    def __init__(self, name: str, batches: AsyncIterator[Any]) -> None:
        self._name = name
        self._batches = batches

    @classmethod
    async def of(cls, table: Any, among: Sequence[UUID] | None) -> Scan:
        """The rows of some items, at most ``filters.BATCH``, or all."""
        query = table.query()
        if among is not None:
            query = query.where(filters.items(among))
        return cls(table.name, await query.to_batches(max_batch_length=_BATCH_ROWS))

    async def following(self) -> Any | None:
        """The next batch; None after the last one.

        Translates errors itself, so that nobody goes on with a reader that has failed: it would
        end as if it had come to the last row.
        """
        try:
            return await anext(self._batches, None)
        except LANCE_ERRORS as error:
            failure = translated(error)
            raise type(failure)(f"The table {self._name}: {failure.message}") from error


def chunk_rows(batch: Any, spec: str) -> ChunkRows:
    """``spec`` is the index spec that counts as current."""
    return ChunkRows(**_common(batch, spec, "vector"), ordinal=batch["ordinal"].to_numpy())


def mark_rows(batch: Any, spec: str) -> MarkRows:
    """``spec`` is the index spec that counts as current."""
    return MarkRows(
        **_common(batch, spec, "embedding"),
        chunk_count=batch["chunk_count"].to_numpy(),
        hash=fixed(batch["content_hash"], "S32"),
    )


def _common(batch: Any, spec: str, vector: str) -> dict[str, Column]:
    return {
        "item": fixed(batch["document_id"], IDENTIFIER),
        "owner": fixed(batch["owner_id"], IDENTIFIER),
        "revision": batch["revision"].to_numpy(),
        "fence": batch["fence"].to_numpy(),
        "kind": _places(batch["kind"]),
        "current_spec": _truths(pc.equal(batch["spec"], spec)),
        "sound": _unchanged(batch) & _of_length_one(batch[vector]),
    }


def _unchanged(batch: Any) -> Column:
    columns = [batch[name] for name in batch.schema.names if name != CHECKSUM]
    return np.asarray(checksums(columns) == batch[CHECKSUM].to_numpy())


def _of_length_one(vectors: Any) -> Column:
    """NaN and infinite numbers compare as false."""
    numbers = fixed(vectors.flatten(), np.float32).reshape(len(vectors), vectors.type.list_size)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
        return np.asarray(np.abs(lengths - 1) <= LENGTH_TOLERANCE)


def _places(names: Any) -> Column:
    """Of these kinds in ``KINDS``."""
    places: Column = pc.fill_null(pc.index_in(names, value_set=_KINDS), NO_KIND).to_numpy()
    return places


def _truths(column: Any) -> Column:
    truths: Column = column.to_numpy(zero_copy_only=False)
    return truths
