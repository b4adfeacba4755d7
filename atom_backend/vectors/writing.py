"""Writing: adding rows, and removing them by item and fence.

One call is one commit on one table (a removal: one on each), flushed to the disk before it
returns. Nothing is ever merged or overwritten: LanceDB knows no unique keys, so rows are added
under a fence and older ones removed afterwards. Invariant: a removal that has nothing to remove
commits nothing, because even an empty delete leaves a new version behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from atom_backend.domain.items import Projection
from atom_backend.errors import VectorStoreCorrupt, VectorStoreUnavailable
from atom_backend.vectors import filters
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.durability import WrittenInPart, durable
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
        tables.location.require_room(rows.nbytes)
        await _committed(tables, table, partial(table.add, rows))


async def _committed(tables: Tables, table: Any, change: Callable[[], Awaitable[Any]]) -> None:
    """Commit the change for good, or not at all. Raises VectorStoreUnavailable on a full disk."""
    try:
        async with durable([tables.location.table(table.name)]):
            made = await change()
    except WrittenInPart as error:
        await _take_back(tables, table.name, made.version)
        raise VectorStoreUnavailable(error.message) from error


async def _take_back(tables: Tables, name: str, version: int) -> None:
    """Undo the commit that made this version, because nothing could be read any more with it.

    Raises VectorStoreCorrupt where somebody has committed since, whose rows would go too.
    """
    table = await tables.database.open_table(name)
    if await table.version() != version:
        raise VectorStoreCorrupt(f"LanceDB committed a file of {name} without its end.")
    await table.checkout(version - 1)
    await table.restore()


async def _remove(
    tables: Tables, item_ids: Collection[UUID], which: Callable[[Collection[UUID]], Filter]
) -> None:
    for batch in filters.batches(item_ids):
        await _delete(tables, which(batch))


async def _delete(tables: Tables, where: Filter) -> None:
    """The commit marks first: chunks without a mark are found and removed by the next attempt."""
    for table in (tables.processed, tables.chunks):
        if await table.count_rows(where):
            await _committed(tables, table, partial(table.delete, where))
