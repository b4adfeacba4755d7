"""The open tables, and the one way to call them.

Nothing is opened before the first call, so that a process may fork until then. Every read sees
what any process committed before it began (a read consistency of zero; measured: no slower than
a cached view). Invariant: ``call`` returns the operation's value or raises one of
``atom_backend.errors``, within its deadline.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import lancedb

from atom_backend.errors import ConfigurationError
from atom_backend.vectors.location import Location
from atom_backend.vectors.loop import LoopThread
from atom_backend.vectors.schema import Layout
from atom_backend.vectors.translate import LANCE_ERRORS, Verdict, judge, translated

_T = TypeVar("_T")

INDEX_CACHE_BYTES = 256 << 20
METADATA_CACHE_BYTES = 64 << 20
_MOST_ATTEMPTS = 10
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Tables:
    """The open database: LanceDB's ``AsyncConnection`` and two ``AsyncTable``."""

    layout: Layout
    location: Location
    database: Any
    chunks: Any
    processed: Any

    @property
    def folders(self) -> tuple[Path | None, Path | None]:
        """Where the chunks and the processed documents lie."""
        names = self.layout.names
        return self.location.table(names[0]), self.location.table(names[1])


async def connect(location: Location) -> Any:
    """An ``AsyncConnection`` with bounded caches (LanceDB's own bounds are 7 GiB)."""
    return await lancedb.connect_async(
        location.uri,
        read_consistency_interval=timedelta(0),
        session=lancedb.Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES),
    )


class Connection:
    """Opens the tables on first use, and runs operations on them; safe to share by threads."""

    def __init__(self, location: Location, layout: Layout, deadline: float) -> None:
        self._location = location
        self._layout = layout
        self._deadline = deadline
        self._starting = threading.Lock()
        self._loop: LoopThread | None = None
        self._opening = asyncio.Lock()
        self._tables: Tables | None = None

    def call(
        self, operation: Callable[[Tables], Awaitable[_T]], *, deadline: float | None = None
    ) -> _T:
        """What ``operation`` gives.

        It is run again where another writer committed first, and once more where this process's
        view was out of date; it must therefore commit at most once, or be harmless to repeat.
        ``deadline`` in seconds.
        """
        with self._starting:
            if self._loop is None:
                self._loop = LoopThread()
        return self._loop.run(self._attempt(operation), deadline or self._deadline)

    def close(self) -> None:
        """Let go of everything; the next call opens anew."""
        with self._starting:
            loop, self._loop, self._tables = self._loop, None, None
            self._opening = asyncio.Lock()
        if loop is not None:
            loop.close()

    async def _attempt(self, operation: Callable[[Tables], Awaitable[_T]]) -> _T:
        reopened = False
        attempt = 0
        while True:
            attempt += 1
            self._location.require(self._layout.names)
            try:
                return await operation(await self._open())
            except LANCE_ERRORS as error:
                verdict = judge(error)
                if verdict is Verdict.RETRY and attempt < _MOST_ATTEMPTS:
                    await asyncio.sleep(_pause(attempt))
                elif verdict is Verdict.REOPEN and not reopened:
                    reopened = True
                    self._tables = None
                else:
                    self._tables = None
                    self._location.require(self._layout.names)
                    raise translated(error) from error

    async def _open(self) -> Tables:
        async with self._opening:
            if self._tables is None:
                database = await connect(self._location)
                layout = self._layout
                opened = [await database.open_table(name) for name in layout.names]
                for table in opened:
                    await require_schema(table, layout, self._location)
                self._tables = Tables(layout, self._location, database, *opened)
            return self._tables


async def require_schema(table: Any, layout: Layout, location: Location) -> None:
    """Raise ConfigurationError where a table is not what this version and model write."""
    found, expected = await table.schema(), layout.schemas[table.name]
    if found.equals(expected):
        return
    vector = "vector" if "vector" in expected.names else "embedding"
    has = getattr(found.field(vector).type, "list_size", None) if vector in found.names else None
    difference = (
        f"has vectors of {has} numbers, the embedding model gives {layout.dimension}"
        if has is not None and has != layout.dimension
        else "was made by another version of this service"
    )
    raise ConfigurationError(
        f"The LanceDB table {table.name} at {location.uri} {difference}. Set LANCEDB_TABLE_NAME "
        "and LANCEDB_CHUNKS_TABLE_NAME to new names (or LANCEDB_URI to an empty folder) and "
        "migrate: the workers then fill the new tables from PostgreSQL."
    )


def _pause(attempt: int) -> float:
    """Full jitter, as in ``domain/backoff.py``, but between commits of a few milliseconds."""
    return random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2.0**attempt))
