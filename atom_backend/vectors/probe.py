"""Is the store alive: a real write, a real read, and a look at the real tables.

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

from atom_backend.clock import new_id
from atom_backend.errors import VectorStoreCorrupt
from atom_backend.vectors.connection import Tables

_NAME = re.compile("probe_([0-9a-f]{32})")
_ABANDONED_SECONDS = 3600


async def probe(tables: Tables) -> None:
    """Write, read back, drop; read a row of each table. Raises VectorStoreCorrupt."""
    for table in (tables.chunks, tables.processed):
        await table.query().limit(1).to_arrow()
    mark = new_id()
    name = f"probe_{mark.hex}"
    written = await tables.database.create_table(name, pa.table({"mark": [mark.bytes]}))
    try:
        read = (await written.to_arrow())["mark"].to_pylist()
    finally:
        await tables.database.drop_table(name)
    if read != [mark.bytes]:
        raise VectorStoreCorrupt("LanceDB does not give back what was just written.")


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
