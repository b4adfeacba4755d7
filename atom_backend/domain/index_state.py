"""Index entries: what should be in the vector store, and how far it is.

An entry says "bring item X to at least revision R" and carries no content. It is level-triggered:
whoever leases it reads what is true now. Invariant (I5): an entry is settled, due, leased until a
named moment, or parked with a reason; nothing waits for ever in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from atom_backend.domain.items import Kind


class EntryState(StrEnum):
    """Where an index entry stands."""

    DUE = "due"
    LEASED = "leased"
    SETTLED = "settled"
    PARKED = "parked"


class IndexState(StrEnum):
    """The same, as a user of the API needs to know it."""

    PENDING = "pending"
    INDEXED = "indexed"
    PARKED = "parked"


def as_seen_by_users(state: EntryState) -> IndexState:
    """A lease is a worker's business: to a user the item is simply not indexed yet."""
    match state:
        case EntryState.SETTLED:
            return IndexState.INDEXED
        case EntryState.PARKED:
            return IndexState.PARKED
        case EntryState.DUE | EntryState.LEASED:
            return IndexState.PENDING


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one entry until ``until``.

    ``fence`` comes from one sequence, so a later lease of the same item always has the higher
    number. Every row in the vector store carries the fence it was written under; a worker that
    wakes up late can therefore be told from the one that replaced it (fencing tokens: Kleppmann,
    "How to do distributed locking", 2016). ``attempts`` counts this lease.
    """

    item_id: UUID
    owner_id: UUID
    kind: Kind
    revision: int
    deleted: bool
    attempts: int
    fence: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The vector store now holds this item at this revision."""

    item_id: UUID
    revision: int
    spec: str
    chunk_count: int


@dataclass(frozen=True, slots=True)
class Postponement:
    """Try this item again after ``delay`` seconds, for this reason.

    ``refund`` gives the attempt back: the item was not to blame (a store was down), so it must
    not come closer to being parked.
    """

    item_id: UUID
    delay: float
    reason: str
    refund: bool


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """Depth by state, and the age in seconds of the oldest write that is not searchable yet."""

    due: int
    leased: int
    settled: int
    parked: int
    tombstones: int
    lag_seconds: float
