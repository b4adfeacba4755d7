"""Generations of LanceDB's tables, and which of them is current.

A rebuild fills the tables of the next generation beside the present ones and then switches. Two
places name the current generation: a pointer beside the tables, because searches go on while
PostgreSQL is down, and a record in PostgreSQL, because a confirmation must be compared with it.
They are written in this order, so that whoever finds them apart can tell why:

    pointer: n+1 is ready  ->  record: n+1  ->  pointer: n+1 is active

Invariant: rows of a generation are confirmed only while the record names it. The record never
lags behind the pointer, so what was written before the switch cannot be confirmed after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from atom_backend.domain.index_state import Confirmation
from atom_backend.errors import VectorStoreUnavailable

REBUILT = 0
"""The fence of rows that a rebuild wrote: lower than any lease's, so that whatever a worker writes
later replaces them, also one that took its lease before the rebuild."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the tables of one store; the first is number 1."""

    store: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """What stands beside the tables.

    ``store`` says whose they are. ``active`` is the generation that is searched, None while there
    is none that could be. ``building`` is being made by a rebuild, or was when that was
    interrupted; once ``ready`` it is complete, and active as soon as PostgreSQL says so.
    """

    store: UUID
    active: int | None
    building: int | None = None
    ready: bool = False

    def announcing(self) -> Pointer:
        """The same, with what was built declared complete."""
        return replace(self, ready=True)

    def switched(self, number: int) -> Pointer:
        """Nothing but this generation."""
        return Pointer(self.store, number)


def agreed(recorded: Generation, pointer: Pointer) -> Generation | None:
    """The generation that both places are to name; None where there is none yet.

    A switch that was interrupted after the record is completed. Any other difference comes from a
    backup of one of the two: the tables that are there count, and a check finds what they lack.
    Raises VectorStoreUnavailable for the store of another database.
    """
    require_own(recorded.store, pointer)
    if pointer.ready and recorded.number == pointer.building:
        return recorded
    return None if pointer.active is None else Generation(pointer.store, pointer.active)


def require_own(store: UUID, pointer: Pointer) -> None:
    """Raise VectorStoreUnavailable unless the pointer is this store's."""
    if pointer.store != store:
        raise VectorStoreUnavailable(
            f"The LanceDB store that is there (id {pointer.store}) belongs to another database; "
            f"this one's has the id {store}. Mount that one, or point LANCEDB_URI to it."
        )


class StoreRecord(Protocol):
    """PostgreSQL's word on which store is its own, and which generation is current."""

    def read(self) -> Generation | None:
        """None until a store has been prepared for this database."""
        ...

    def locked(self) -> Generation | None:
        """The same, kept from changing, and every ``hold`` waiting, until the transaction ends."""
        ...

    def hold(self, generation: Generation) -> bool:
        """Whether this generation is current, and will be until the transaction ends."""
        ...

    def write(self, generation: Generation) -> None:
        """Make this generation the current one."""
        ...

    def in_use(self) -> bool:
        """Whether anything was ever indexed: then a store that is not there is lost, not new."""
        ...

    def accept(self, confirmations: Sequence[Confirmation]) -> int:
        """Settle those of these entries that nobody has leased or rewritten; how many."""
        ...
