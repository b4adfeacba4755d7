"""Both stores, with workers that can be paused, killed and followed by others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from atom_backend.coordinator.check import Check
from atom_backend.coordinator.convergence import Convergence
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.relay import Relay, RelayReport
from atom_backend.coordinator.repair import Repair
from atom_backend.domain.backoff import Backoff
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.domain.principals import Principal
from atom_backend.vectors.store import LanceVectorStore
from tests.conftest import RunSql
from tests.deterministic import Watch, indexer
from tests.invariants import assert_in_step, rows_by_item
from tests.making import Documents
from tests.watching import (
    Announce,
    Killed,
    watched_transactions,
    watched_vectors,
)

BACKOFF = Backoff(max_attempts=4)
_MOST_PASSES = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a test of the coordinator needs."""

    transactions: Transactions
    vectors: LanceVectorStore
    lance: Path
    sql: RunSql
    owner: Principal

    @property
    def documents(self) -> Documents:
        return Documents(self.transactions)

    def relay(
        self,
        watch: Watch | None = None,
        announce: Announce | None = None,
        *,
        using: Indexer | None = None,
        batch: int = 32,
    ) -> Relay:
        """A new worker. ``watch`` sees what is embedded, ``announce`` every call of a port."""
        transactions, vectors = self._ports(announce)
        convergence = Convergence(transactions, vectors, using or indexer(watch))
        return Relay(transactions, convergence, backoff=BACKOFF, batch=batch, chance=lambda: 0.0)

    def run_and_be_killed(self, announce: Announce) -> None:
        """One pass of a worker that may not survive it."""
        with suppress(Killed):
            self.relay(announce=announce).run_once()

    def expire_leases(self) -> None:
        """Let time pass until every lease has run out."""
        self.sql("update index_entries set due_at = now() where state = 'leased'")

    def let_time_pass(self) -> None:
        """Until everything that waits is due."""
        self.sql("update index_entries set due_at = now() where state in ('due', 'leased')")

    def converge(self, relay: Relay | None = None) -> RelayReport:
        """Passes of one worker, without any wait, until nothing is due; what they did."""
        relay = relay or self.relay()
        report = RelayReport()
        for _ in range(_MOST_PASSES):
            done = relay.run_once()
            if not done.leased:
                return report
            report += done
        raise AssertionError(f"still at work after {_MOST_PASSES} passes: {report}")

    def check(
        self,
        announce: Announce | None = None,
        *,
        wait: Callable[[float], None] = lambda _: None,
    ) -> Check:
        """A check that does not pause between its looks, or as ``wait`` does."""
        transactions, vectors = self._ports(announce)
        return Check(transactions, vectors, spec=lambda: indexer().spec, wait=wait)

    def repair(self, announce: Announce | None = None) -> Repair:
        return Repair(*self._ports(announce), self.check(announce))

    def _ports(self, announce: Announce | None) -> tuple[Transactions, VectorStore]:
        if announce is None:
            return self.transactions, self.vectors
        transactions = watched_transactions(self.transactions, announce)
        return transactions, watched_vectors(self.vectors, announce)

    def assert_in_step(self) -> None:
        assert_in_step(self.sql, self.lance, spec=indexer().spec)

    def rows(self, table: str, item_id: UUID) -> list[dict[str, Any]]:
        """The rows of one item in one table of LanceDB."""
        return rows_by_item(self.lance, table).get(item_id, [])

    def entry(self, item_id: UUID) -> Any:
        (row,) = self.sql("select * from index_entries where item_id = :id", id=item_id)
        return row


def in_background(relay: Relay) -> Future[RelayReport]:
    """One pass on a thread of its own."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(relay.run_once)
    pool.shutdown(wait=False)
    return future
