"""What the worker can do inside one PostgreSQL transaction (role ``atom_worker``).

Invariant: it sees index entries and sources of every owner, and may not change content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from atom_backend.domain.census import Table
from atom_backend.domain.consistency import ConsistencyRuns
from atom_backend.domain.erasures import Erasures
from atom_backend.domain.generations import StoreRecord
from atom_backend.domain.index_state import (
    Confirmation,
    IndexStatistics,
    Lease,
    Postponement,
)
from atom_backend.domain.items import Source
from atom_backend.domain.repairs import Repairs


class WorkerIndex(Protocol):
    """The worker's side of the index entries.

    All times are the database's. Calls that name a ``fence`` change only entries that are still
    leased under it and say which those were.
    """

    def lease(
        self, holder: UUID, *, limit: int, seconds: float, suspects: bool, max_attempts: int
    ) -> list[Lease]:
        """Take due entries and those whose lease ran out, oldest first; others are skipped.

        Entries with ``SUSPECT_AFTER`` or more attempts are taken only with ``suspects``, and then
        as many as may be ``together``. An entry with ``max_attempts`` behind it is parked instead.
        """
        ...

    def give_back(self, holder: UUID) -> int:
        """Make due what this holder has leased, and take its attempts back; how many entries.

        For a worker that lost touch with PostgreSQL, may not even know what it leased, and holds
        nothing now. Attempts are taken back also where another has taken the entry over.
        """
        ...

    def extend(self, item_ids: Sequence[UUID], fence: int, seconds: float) -> set[UUID]:
        """Prolong the leases that are still held and still wanted at the leased revision."""
        ...

    def confirm(self, confirmations: Sequence[Confirmation], fence: int) -> set[UUID]:
        """Compare-and-set: settle, or make due again what was written meanwhile."""
        ...

    def purge(self, item_ids: Sequence[UUID], fence: int) -> set[UUID]:
        """Remove tombstones whose items the vector store no longer holds.

        The erasure of an account whose last one goes is complete.
        """
        ...

    def postpone(self, postponements: Sequence[Postponement], fence: int) -> set[UUID]: ...

    def park(self, reasons: Mapping[UUID, str], fence: int) -> set[UUID]: ...

    def seconds_until_due(self) -> float | None:
        """0 when something is due now, None when nothing waits."""
        ...

    def require_spec(self, spec: str) -> int:
        """Make settled entries of any other index spec due again; how many there were."""
        ...

    def statistics(self) -> IndexStatistics: ...

    def parked(self, limit: int) -> list[tuple[UUID, str]]:
        """Parked items with their reasons, oldest first."""
        ...


class WorkerWork(Protocol):
    """A transaction of the worker."""

    @property
    def index(self) -> WorkerIndex: ...

    @property
    def repairs(self) -> Repairs: ...

    @property
    def consistency(self) -> ConsistencyRuns: ...

    @property
    def store(self) -> StoreRecord: ...

    @property
    def erasures(self) -> Erasures: ...

    def sources(self, item_ids: Sequence[UUID]) -> Mapping[UUID, Source]:
        """What these items say now; an item that is gone is missing from the answer."""
        ...

    def sweep(self) -> Mapping[str, int]:
        """Remove what has expired or ended, and old runs; rows removed by name of their table."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Rows by table name, as estimated by the server's statistics."""
        ...


class CensusWork(Protocol):
    """A transaction that sees one moment of everybody's index entries and items, as columns.

    Each call gives the rows of some items (``among``) or of all, in no order.
    """

    def entries(self, spec: str, among: Sequence[UUID] | None = None) -> Table:
        """Records of ``census.ENTRY``; ``spec`` is the index spec that counts as current."""
        ...

    def sources(self, among: Sequence[UUID] | None = None) -> Table:
        """Records of ``census.SOURCE``."""
        ...
