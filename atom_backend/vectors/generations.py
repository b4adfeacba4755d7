"""``LanceGenerations``: makes, names and discards the generations of the tables.

The caller decides and holds the lock in PostgreSQL that makes it the only one. Invariant: the
pointer is written after everything that it speaks of is on the disk, and no table that it names is
ever discarded.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.generations import Pointer
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.location import Location
from atom_backend.vectors.loop import LoopThread
from atom_backend.vectors.migration import make_tables
from atom_backend.vectors.pointer import pointer_place
from atom_backend.vectors.schema import Layout
from atom_backend.vectors.translate import LANCE_ERRORS, translated

_T = TypeVar("_T")

_DEADLINE = 120.0
"""Seconds for one call: making indexes on tables that already hold rows takes a while."""


class LanceGenerations:
    """The port ``Generations``. Call ``close`` when done."""

    def __init__(
        self,
        uri: str,
        *,
        dimension: int,
        processed_table: str,
        chunks_table: str,
        deadline: float = _DEADLINE,
    ) -> None:
        self._location = Location(uri)
        self._layout = Layout(dimension, processed_table, chunks_table)
        self._deadline = deadline
        self._place = pointer_place(self._location, self._layout)
        self._starting = Lock()
        self._loop: LoopThread | None = None

    def pointer(self) -> Pointer | None:
        stored = self._run(lambda: self._place.read(fresh=True))
        return stored.pointer if stored else None

    def point(self, pointer: Pointer) -> None:
        self._run(lambda: self._place.write(pointer))

    def make(self, number: int) -> list[str]:
        return self._run(lambda: self._make(number))

    def complete(self, number: int) -> list[str]:
        self._location.require(self._layout.at(number).names)
        return self.make(number)

    def numbers(self) -> set[int]:
        if self._location.folder and not self._location.folder.is_dir():
            return set()
        return self._run(self._numbers)

    def empty(self, number: int) -> bool:
        return self._run(lambda: self._empty(number))

    def discard(self, number: int) -> None:
        self._run(lambda: self._discard(number))

    def close(self) -> None:
        """Let go of the thread and of everything open; the next call opens anew."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def _run(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        with self._starting:
            if self._loop is None:
                self._loop = LoopThread()
        return self._loop.run(_translating(operation), self._deadline)

    async def _make(self, number: int) -> list[str]:
        if self._location.folder:
            self._location.folder.mkdir(parents=True, exist_ok=True)
        database = await self._location.connect()
        return await make_tables(database, self._location, self._layout.at(number))

    async def _numbers(self) -> set[int]:
        database = await self._location.connect()
        return self._layout.numbers(await table_names(database))

    async def _empty(self, number: int) -> bool:
        database = await self._location.connect()
        names = set(self._layout.at(number).names) & set(await table_names(database))
        rows = [await (await database.open_table(name)).count_rows() for name in names]
        return not any(rows)

    async def _discard(self, number: int) -> None:
        database = await self._location.connect()
        for name in self._layout.at(number).names:
            await database.drop_table(name, ignore_missing=True)


def prepare_tables(
    uri: str,
    *,
    dimension: int,
    processed_table: str,
    chunks_table: str,
    store: UUID | None = None,
) -> str:
    """Make a store, or what is missing of its indexes; a sentence that says what was done.

    For stores without a database beside them: a service's own is made by ``Agreement``, which
    knows whether there may be none. ``store``: the id of a new one.
    """
    opened = LanceGenerations(
        uri, dimension=dimension, processed_table=processed_table, chunks_table=chunks_table
    )
    with closing(opened) as generations:
        pointer = generations.pointer()
        if pointer is not None and pointer.active is not None:
            made = generations.complete(pointer.active)
        else:
            made = generations.make(1)
            generations.point(Pointer(store or new_id(), 1))
    return f"LanceDB at {uri}: {'made ' + ', '.join(made) if made else 'nothing to do'}."


async def discard_superseded(tables: Tables, grace: float) -> list[str]:
    """Drop the tables that a switch has left behind ``grace`` seconds ago; their names.

    Only lower generations, and only as seen from the active one: a higher one is being built.
    """
    if tables.since is None or time.time() - tables.since < grace:
        return []
    superseded = [
        name
        for name in await table_names(tables.database)
        if any(number < tables.generation.number for number in tables.plain.numbers([name]))
    ]
    for name in superseded:
        await tables.database.drop_table(name, ignore_missing=True)
    return superseded


async def table_names(database: Any) -> list[str]:
    return list((await database.list_tables()).tables)


async def _translating(operation: Callable[[], Awaitable[_T]]) -> _T:
    try:
        return await operation()
    except LANCE_ERRORS as error:
        raise translated(error) from error
