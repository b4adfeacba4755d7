"""The open tables of the current generation, and the one way to call them.

Nothing is opened before the first call, so that a process may fork until then. Every call looks at
the pointer first, and opens the tables anew where a rebuild has switched; a call that runs at that
moment ends on the tables that it began with. Every read sees what any process committed before it
began (a read consistency of zero; measured: no slower than a cached view). Invariant: ``call``
returns the operation's value or raises one of ``atom_backend.errors``, within its deadline.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from atom_backend.domain.generations import Generation, Pointer, require_own
from atom_backend.errors import ConfigurationError, VectorStoreUnavailable
from atom_backend.vectors.location import Location
from atom_backend.vectors.loop import LoopThread
from atom_backend.vectors.pointer import Stored, pointer_place
from atom_backend.vectors.schema import AS_STORED, Layout
from atom_backend.vectors.translate import LANCE_ERRORS, Verdict, judge, translated

_T = TypeVar("_T")

_MOST_ATTEMPTS = 10
_LONGEST_PAUSE = 1.0

StoreIdentity = Callable[[], UUID | None]
"""The id that the store must have; None while it is not known."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The open database: LanceDB's ``AsyncConnection`` and two ``AsyncTable``.

    ``layout`` is theirs, ``plain`` that of the first generation. ``since``: when the pointer that
    made them the active ones was written, in seconds since 1970; None while they are being built.
    """

    generation: Generation
    layout: Layout
    plain: Layout
    since: float | None
    location: Location
    database: Any
    chunks: Any
    processed: Any

    @property
    def folders(self) -> tuple[Path | None, Path | None]:
        """Where the chunks and the processed documents lie."""
        names = self.layout.names
        return self.location.table(names[0]), self.location.table(names[1])


class Connection:
    """Opens the tables on first use, and runs operations on them; safe to share by threads.

    ``building``: the generation to open, before it is the active one.
    """

    def __init__(
        self,
        location: Location,
        layout: Layout,
        deadline: float,
        *,
        building: int | None = None,
        identity: StoreIdentity = lambda: None,
    ) -> None:
        self._location = location
        self._layout = layout
        self._deadline = deadline
        self._building = building
        self._identity = identity
        self._starting = threading.Lock()
        self._loop: LoopThread | None = None
        self._forget()

    def call(
        self,
        operation: Callable[[Tables], Awaitable[_T]],
        *,
        deadline: float | None = None,
        into: Generation | None = None,
        writes: bool = False,
    ) -> _T:
        """What ``operation`` gives.

        It is run again where another writer committed first, and once more where this process's
        view was out of date; it must therefore commit at most once, or be harmless to repeat.
        ``deadline`` in seconds. ``into``: not run at all unless this is the current generation.
        ``writes``: the store must still be in place afterwards, or nothing counts as written:
        LanceDB goes on into a folder that vanished under it, and makes it anew, with what it writes
        now and nothing else.
        """
        identity = self._identity()
        with self._starting:
            if self._loop is None:
                self._loop = LoopThread()
        attempt = self._attempt(operation, identity, into, writes)
        return self._loop.run(attempt, deadline or self._deadline)

    def close(self) -> None:
        """Let go of everything; the next call opens anew."""
        with self._starting:
            loop, self._loop = self._loop, None
            self._forget()
        if loop is not None:
            loop.close()

    def _forget(self) -> None:
        self._tables: Tables | None = None
        self._opening = asyncio.Lock()
        self._pointer = pointer_place(self._location, self._layout)

    async def _attempt(
        self,
        operation: Callable[[Tables], Awaitable[_T]],
        identity: UUID | None,
        into: Generation | None,
        writes: bool,
    ) -> _T:
        reopened = False
        attempt = 0
        while True:
            attempt += 1
            try:
                tables = await self._open(await self._located(identity))
                if into not in {None, tables.generation}:
                    raise VectorStoreUnavailable("A rebuild has exchanged the tables of LanceDB.")
                done = await operation(tables)
                if writes:
                    await self._located(identity)
                return done
            except LANCE_ERRORS as error:
                verdict = judge(error)
                if verdict is Verdict.RETRY and attempt < _MOST_ATTEMPTS:
                    await asyncio.sleep(_pause(attempt))
                elif verdict is Verdict.REOPEN and not reopened:
                    reopened = True
                    self._tables = None
                else:
                    self._tables = None
                    with suppress(*LANCE_ERRORS):
                        await self._located(identity)
                    raise translated(error) from error

    async def _located(self, identity: UUID | None) -> Stored:
        """The pointer, once the store and its tables have been seen to be in place."""
        stored = await self._pointer.read()
        if stored is None:
            raise VectorStoreUnavailable(
                f"There is no LanceDB store at {self._location.uri}: mount it if its disk is not "
                "mounted; run migrate if there never was one; run rebuild if it is lost."
            )
        if identity is not None:
            require_own(identity, stored.pointer)
        self._location.require(self._layout.at(self._number(stored.pointer)).names)
        return stored

    def _number(self, pointer: Pointer) -> int:
        if self._building is not None:
            if pointer.building != self._building:
                raise VectorStoreUnavailable("This generation of tables is not being built.")
            return self._building
        if pointer.active is None:
            raise VectorStoreUnavailable(
                "The first tables are still being rebuilt: wait for the rebuild, or run it again."
            )
        return pointer.active

    async def _open(self, stored: Stored) -> Tables:
        generation = Generation(stored.pointer.store, self._number(stored.pointer))
        async with self._opening:
            if self._tables is None or self._tables.generation != generation:
                database = await self._location.connect()
                layout = self._layout.at(generation.number)
                opened = [await database.open_table(name) for name in layout.names]
                if layout.dimension == AS_STORED:
                    layout = replace(layout, dimension=await _length_of_vectors(opened[0]))
                for table in opened:
                    await require_schema(table, layout, self._location)
                since = stored.written_at if self._building is None else None
                place = (layout, self._layout, since, self._location, database)
                self._tables = Tables(generation, *place, *opened)
            return self._tables


async def _length_of_vectors(chunks: Any) -> int:
    """0 where they are no vectors, which no schema allows."""
    schema = await chunks.schema()
    column = schema.field("vector").type if "vector" in schema.names else None
    return int(getattr(column, "list_size", 0))


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
        f"The LanceDB table {table.name} at {location.uri} {difference}. Run the command rebuild: "
        "it makes new tables from PostgreSQL and then switches to them."
    )


def _pause(attempt: int) -> float:
    """Full jitter, as in ``domain/backoff.py``, but between commits of a few milliseconds."""
    return random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2.0**attempt))
