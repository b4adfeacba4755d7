"""What an administrator asks about the two stores being in step, and asks to be run.

Invariant: row-level security shows nothing of it to anybody else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.consistency import (
    ConsistencyRun,
    ConsistencyTotals,
    RunKind,
    RunOrder,
    RunRequests,
)
from atom_backend.domain.drift import Drift
from atom_backend.domain.index_state import IndexStatistics
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal

_RUNS_SHOWN = 20
_PARKED_SHOWN = 20
_NO_DRIFT = {drift.value: 0 for drift in Drift}


@dataclass(frozen=True, slots=True)
class ConsistencyOverview:
    """The last runs that ended, what the last good one found by kind, and what waits."""

    last_check: ConsistencyRun | None
    last_repair: ConsistencyRun | None
    drift: Mapping[str, int]
    index: IndexStatistics
    parked: tuple[tuple[UUID, str], ...]
    runs: tuple[ConsistencyRun, ...]


class Consistency:
    """The administrator's use cases."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def overview(self, principal: Principal) -> ConsistencyOverview:
        with self._administrating(principal) as runs:
            last_check, last_repair = runs.last(RunKind.CHECK), runs.last(RunKind.REPAIR)
            latest = tuple(runs.latest(_RUNS_SHOWN))
        with self._transactions.worker() as work:
            return ConsistencyOverview(
                last_check=last_check,
                last_repair=last_repair,
                drift=_NO_DRIFT | dict(work.consistency.totals().drift),
                index=work.index.statistics(),
                parked=tuple(work.index.parked(_PARKED_SHOWN)),
                runs=latest,
            )

    def request(self, principal: Principal, order: RunOrder) -> ConsistencyRun:
        """The run that will do it: a new one, or one of the same kind that is queued already."""
        with self._administrating(principal) as runs:
            return runs.request(order)

    def run(self, principal: Principal, run_id: UUID) -> ConsistencyRun:
        """Raises NotFound."""
        with self._administrating(principal) as runs:
            return runs.get(run_id)

    def totals(self) -> ConsistencyTotals:
        """For the metrics, which name nobody; every kind has its number, if it is 0."""
        with self._transactions.worker() as work:
            totals = work.consistency.totals()
        no_runs = {kind.value: 0 for kind in RunKind}
        return dataclasses.replace(
            totals,
            found=_NO_DRIFT | dict(totals.found),
            drift=_NO_DRIFT | dict(totals.drift),
            done=no_runs | dict(totals.done),
            failed=no_runs | dict(totals.failed),
            seconds=no_runs | dict(totals.seconds),
        )

    @contextmanager
    def _administrating(self, principal: Principal) -> Iterator[RunRequests]:
        with self._transactions.owner(principal) as work:
            yield work.consistency
