"""Is the store alive: a real write, a real read, and a look at the real tables and their indexes.

Each probe writes a table of its own and drops it again, so that probes of many processes never
wait for each other and nothing grows. A probe that is killed leaves its table behind; its name
holds its age, and ``sweep`` removes it. Invariant: no probe changes a table of the store.
"""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import UUID

import pyarrow as pa
from lancedb.query import MatchQuery

from atom_backend.clock import new_id
from atom_backend.domain.principals import OwnerScope
from atom_backend.errors import VectorStoreCorrupt
from atom_backend.vectors import filters
from atom_backend.vectors.connection import Tables

_NAME = re.compile("probe_([0-9a-f]{32})")
_ABANDONED_SECONDS = 3600
_match: Any = MatchQuery


async def probe(tables: Tables) -> None:
    """Look at each table; write, read back, drop. Raises VectorStoreCorrupt, or
    VectorStoreUnavailable where there is no room to write."""
    tables.location.require_room()
    await _look_at_processed(tables.processed)
    await _look_at_chunks(tables.chunks)
    mark = new_id()
    name = f"probe_{mark.hex}"
    written = await tables.database.create_table(name, pa.table({"mark": [mark.bytes]}))
    try:
        read = (await written.to_arrow())["mark"].to_pylist()
    finally:
        await tables.database.drop_table(name)
    if read != [mark.bytes]:
        raise VectorStoreCorrupt("LanceDB does not give back what was just written.")


async def _look_at_processed(processed: Any) -> None:
    """A row, and the same by way of the index that writes need."""
    for row in await processed.query().select(["document_id"]).limit(1).to_list():
        where = filters.items([UUID(bytes=row["document_id"])])
        await processed.query().where(where).limit(1).to_arrow()


async def _look_at_chunks(chunks: Any) -> None:
    """A row, and the same by way of every index that searches and writes need."""
    columns = ["owner_id", "document_id", "content"]
    for row in await chunks.query().select(columns).limit(1).to_list():
        scope = OwnerScope(UUID(bytes=row["owner_id"]))
        where = filters.visible(scope, item_ids=[UUID(bytes=row["document_id"])])
        word = row["content"].partition(" ")[0]
        found = chunks.query().nearest_to_text(_match(word, "content")).where(where)
        await found.limit(1).to_arrow()


async def sweep(database: Any) -> int:
    """Drop the tables of probes that were killed more than an hour ago; how many there were."""
    named = [_NAME.fullmatch(name) for name in (await database.list_tables()).tables]
    abandoned = [name.string for name in named if name and _age(name[1]) > _ABANDONED_SECONDS]
    for name in abandoned:
        await database.drop_table(name, ignore_missing=True)
    return len(abandoned)


def _age(mark: str) -> float:
    """Seconds; a UUID version 7 begins with 48 bits of milliseconds (RFC 9562, section 5.7)."""
    return time.time() - (UUID(mark).int >> 80) / 1000
