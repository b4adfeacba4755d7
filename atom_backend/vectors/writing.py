"""Writing: adding rows, and removing them by item and fence.

One call is one commit on one table (a removal: one on each), flushed to the disk before it
returns. Nothing is ever merged or overwritten: LanceDB knows no unique keys, so rows are added
under a fence and older ones removed afterwards. Invariant: a removal that has nothing to remove
commits nothing, because even an empty delete leaves a new version behind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from atom_backend.domain.items import Projection
from atom_backend.vectors import filters
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.durability import durable
from atom_backend.vectors.filters import Filter
from atom_backend.vectors.schema import chunk_rows, processed_rows


async def add_chunks(tables: Tables, projections: Sequence[Projection], fence: int) -> None:
    """As ``VectorStore.add_chunks``. Raises RefusedVector before anything is written."""
    rows = chunk_rows(projections, fence, tables.layout.dimension)
    await _add(tables, tables.chunks, rows)


async def add_processed(tables: Tables, projections: Sequence[Projection], fence: int) -> None:
    """As ``VectorStore.add_processed``. Raises RefusedVector before anything is written."""
    rows = processed_rows(projections, fence, tables.layout.dimension)
    await _add(tables, tables.processed, rows)


async def drop_older(tables: Tables, item_ids: Collection[UUID], fence: int) -> None:
    """As ``VectorStore.drop_older``."""
    await _remove(tables, item_ids, lambda batch: filters.older(batch, fence))


async def drop_fence(tables: Tables, item_ids: Collection[UUID], fence: int) -> None:
    """As ``VectorStore.drop_fence``."""
    await _remove(tables, item_ids, lambda batch: filters.fenced(batch, fence))


async def drop_items(tables: Tables, item_ids: Collection[UUID]) -> None:
    """As ``VectorStore.drop_items``."""
    await _remove(tables, item_ids, filters.items)


async def drop_foreign(tables: Tables, owners: Mapping[UUID, UUID]) -> None:
    """As ``VectorStore.drop_foreign``."""
    for batch in filters.batches(owners, filters.PAIRS):
        await _delete(tables, filters.foreign({one: owners[one] for one in batch}))


async def _add(tables: Tables, table: Any, rows: Any) -> None:
    if rows.num_rows:
        async with durable([tables.location.table(table.name)]):
            await table.add(rows)


async def _remove(
    tables: Tables, item_ids: Collection[UUID], which: Callable[[Collection[UUID]], Filter]
) -> None:
    for batch in filters.batches(item_ids):
        await _delete(tables, which(batch))


async def _delete(tables: Tables, where: Filter) -> None:
    """The commit marks first: chunks without a mark are found and removed by the next attempt."""
    for table in (tables.processed, tables.chunks):
        if await table.count_rows(where):
            async with durable([tables.location.table(table.name)]):
                await table.delete(where)
