"""The relay: leases due index entries, has them converged, and decides what a failure means.

It asks one question of an error: is an item to blame? A dependency that is down, damaged or set up
wrong costs an item nothing but time; an item whose own content cannot be indexed is parked with
the reason. A batch that does not fail as a whole is taken apart, so that one bad item never holds
up its neighbours. An item that looks like an outage of the model, because the model fails on it and
on nothing else, is told from a real one by asking the model for something harmless first.

    due entries --lease--> sources --project--> LanceDB --confirm--> settled
                             |                     |
                             +---- postponed, or parked with a reason
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atom_backend.clock import new_id
from atom_backend.coordinator.convergence import Convergence
from atom_backend.coordinator.tenure import Tenure
from atom_backend.domain.backoff import Backoff
from atom_backend.domain.index_state import Lease, Postponement
from atom_backend.domain.ports import Transactions
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    DependencyError,
    EmbedderUnavailable,
    RefusedVector,
    StoredDataError,
    VectorStoreCorrupt,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RelayReport:
    """What one pass did. ``full``: it leased as many as it may, so that more may be due."""

    leased: int = 0
    settled: int = 0
    removed: int = 0
    postponed: int = 0
    parked: int = 0
    outage: str | None = None
    full: bool = False

    def __add__(self, other: RelayReport) -> RelayReport:
        return RelayReport(
            self.leased + other.leased,
            self.settled + other.settled,
            self.removed + other.removed,
            self.postponed + other.postponed,
            self.parked + other.parked,
            self.outage or other.outage,
            self.full or other.full,
        )

    def __str__(self) -> str:
        if not self.leased:
            return "Nothing was due."
        said = f"Leased {self.leased}, settled {self.settled}, removed {self.removed}"
        if self.postponed or self.parked:
            said += f", postponed {self.postponed}, parked {self.parked}"
        return f"{said}, because of {self.outage}." if self.outage else f"{said}."


class Relay:
    """One worker's way of emptying the queue of index entries."""

    def __init__(
        self,
        transactions: Transactions,
        convergence: Convergence,
        *,
        backoff: Backoff,
        batch: int = 32,
        lease_seconds: float = 60.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transactions = transactions
        self._convergence = convergence
        self._backoff = backoff
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._chance = chance
        self._wary = False
        self._holder = new_id()
        self._lost_touch = False

    def run_once(self) -> RelayReport:
        """One batch of ordinary entries, then a smaller one of those that have failed before.

        Raises DependencyError when PostgreSQL does not answer. What is leased by then, known or
        not, is given back by the next call: the items were not to blame.
        """
        try:
            if self._lost_touch:
                self._give_back()
            return self._passes()
        except DependencyError:
            self._lost_touch = True
            raise

    def _give_back(self) -> None:
        with self._transactions.worker() as work:
            given_back = work.index.give_back(self._holder)
        self._lost_touch = False
        logger.info("gave back %d leases of before the outage", given_back)

    def _passes(self) -> RelayReport:
        ordinary = self._pass(limit=self._batch, suspects=False)
        if ordinary.outage:
            return ordinary
        return ordinary + self._pass(limit=self._batch, suspects=True)

    def _pass(self, *, limit: int, suspects: bool) -> RelayReport:
        with self._transactions.worker() as work:
            leases = work.index.lease(
                self._holder,
                limit=limit,
                seconds=self._lease_seconds,
                suspects=suspects,
                max_attempts=self._backoff.max_attempts,
            )
        if not leases:
            return RelayReport()
        tenure = Tenure(self._transactions, leases, self._lease_seconds)
        buried = [lease for lease in leases if lease.deleted]
        living = [lease for lease in leases if not lease.deleted]
        return (
            RelayReport(leased=len(leases), full=len(leases) == limit)
            + self._remove(buried, tenure)
            + self._index(living, tenure)
        )

    def _remove(self, leases: Sequence[Lease], tenure: Tenure) -> RelayReport:
        def remove(some: Sequence[Lease]) -> RelayReport:
            tombstones = [lease.item_id for lease in some]
            return RelayReport(removed=self._convergence.remove(tombstones, tenure))

        return self._attempt(remove, leases, tenure)

    def _index(self, leases: Sequence[Lease], tenure: Tenure) -> RelayReport:
        if not leases:
            return RelayReport()
        with self._transactions.worker() as work:
            sources = work.sources([lease.item_id for lease in leases])

        def project(some: Sequence[Lease]) -> RelayReport:
            wanted = [sources[lease.item_id] for lease in some]
            return RelayReport(settled=self._convergence.project(wanted, tenure))

        present = [lease for lease in leases if lease.item_id in sources]
        absent = [lease for lease in leases if lease.item_id not in sources]
        attempt = self._sift if self._wary else self._attempt
        report = attempt(project, present, tenure)
        if absent:
            # Deleted since the lease: the entry is a tombstone by now and comes back at once.
            nowhere = StoredDataError("the item has no row")
            report += self._postpone(absent, nowhere, tenure, refund=False)
        return report

    def _attempt(
        self,
        work: Callable[[Sequence[Lease]], RelayReport],
        leases: Sequence[Lease],
        tenure: Tenure,
    ) -> RelayReport:
        """Do the work on all of the leases, or find out which of them cannot be worked on."""
        if not leases:
            return RelayReport()
        try:
            return work(leases)
        except (EmbedderUnavailable, RefusedVector):
            return self._sift(work, leases, tenure)
        except AtomError as error:
            if len(leases) == 1 or isinstance(error, DependencyError | ConfigurationError):
                return self._give_up(leases, error, tenure)
            logger.info("taking a batch of %d apart: %s", len(leases), error.message)
        report = RelayReport()
        for lease in leases:
            report += self._attempt(work, [lease], tenure)
        return report

    def _sift(
        self,
        work: Callable[[Sequence[Lease]], RelayReport],
        leases: Sequence[Lease],
        tenure: Tenure,
    ) -> RelayReport:
        """Try each alone, right after the model has answered something harmless.

        What makes the model fail right after that is to blame: its attempt counts. Where the model
        does not answer, nobody is tried, and the next pass begins as carefully: an item that takes
        the model down for a while must not take its neighbours down with it every time.
        """
        self._wary = True
        report = RelayReport()
        for place, lease in enumerate(leases):
            try:
                self._convergence.require_model()
            except EmbedderUnavailable as error:
                return report + self._give_up(leases[place:], error, tenure)
            try:
                report += work([lease])
            except EmbedderUnavailable as error:
                logger.warning("the model fails on item %s: %s", lease.item_id, error.message)
                report += self._postpone([lease], error, tenure, refund=False)
            except AtomError as error:
                if _blames_no_item(error):
                    return report + self._give_up(leases[place:], error, tenure)
                report += self._give_up([lease], error, tenure)
        self._wary = False
        return report

    def _give_up(self, leases: Sequence[Lease], error: AtomError, tenure: Tenure) -> RelayReport:
        if _blames_no_item(error):
            logger.warning("postponing %d items: %s", len(leases), error.message)
            return self._postpone(leases, error, tenure, refund=True)
        return self._park(leases, error, tenure)

    def _postpone(
        self, leases: Sequence[Lease], error: AtomError, tenure: Tenure, *, refund: bool
    ) -> RelayReport:
        postponements = [
            Postponement(
                item_id=lease.item_id,
                delay=self._backoff.delay(lease.attempts, self._chance),
                reason=error.message,
                refund=refund,
            )
            for lease in leases
        ]
        with self._transactions.worker() as work:
            postponed = work.index.postpone(postponements, tenure.fence)
        return RelayReport(postponed=len(postponed), outage=error.code if refund else None)

    def _park(self, leases: Sequence[Lease], error: AtomError, tenure: Tenure) -> RelayReport:
        for lease in leases:
            logger.warning("parking item %s: %s", lease.item_id, error.message)
        with self._transactions.worker() as work:
            parked = work.index.park({one.item_id: error.message for one in leases}, tenure.fence)
        return RelayReport(parked=len(parked))


def _blames_no_item(error: AtomError) -> bool:
    """Whether the same item can succeed once an operator, or time, has put things right."""
    return isinstance(error, DependencyError | ConfigurationError | VectorStoreCorrupt)
