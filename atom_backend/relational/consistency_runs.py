"""The worker's side of the runs of check and repair (role ``atom_worker``).

Invariant: a run gets its end only from the attempt that is running it (compare-and-set on the
number of the attempt), and enters the totals in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Connection

from atom_backend.domain.consistency import (
    MOST_ATTEMPTS,
    Agenda,
    ConsistencyRun,
    ConsistencyTotals,
    RunKind,
    RunOrder,
    RunState,
)
from atom_backend.relational.consistency_totals import add_done, add_failed, read_totals
from atom_backend.relational.leases import NOW, UNFINISHED
from atom_backend.relational.run_requests import ENDED, MENDS, QUEUED, as_run, enqueue, last
from atom_backend.relational.tables import consistency_runs as runs

_RUNNING, _DONE, _FAILED = RunState.RUNNING.value, RunState.DONE.value, RunState.FAILED.value
_WAITING = runs.c.state.in_([QUEUED, _RUNNING])
_KEPT_FOR = timedelta(days=30)
_MOST_KEPT = 1000


class PostgresConsistencyRuns:
    """Everybody's runs. All times are the database's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def agenda(self) -> Agenda:
        waiting = sa.select(sa.exists().where(_WAITING))
        return Agenda(
            now=self._connection.execute(sa.select(NOW)).scalar_one(),
            waiting=bool(self._connection.scalar(waiting)),
            last_repair=self.last(RunKind.REPAIR),
        )

    def last(self, kind: RunKind) -> ConsistencyRun | None:
        return last(self._connection, kind)

    def totals(self) -> ConsistencyTotals:
        return read_totals(self._connection)

    def schedule(self) -> None:
        enqueue(self._connection, RunOrder(RunKind.REPAIR), None)

    def take(self) -> ConsistencyRun | None:
        self._give_up_what_was_begun_too_often()
        waiting = sa.select(runs.c.id).where(_WAITING).order_by(runs.c.requested_at, runs.c.id)
        row = self._connection.execute(
            sa.update(runs)
            .where(runs.c.id == waiting.limit(1).scalar_subquery())
            .values(state=_RUNNING, started_at=NOW, attempts=runs.c.attempts + 1, reason=None)
            .returning(runs)
        ).one_or_none()
        return None if row is None else as_run(row)

    def finish(
        self, run: ConsistencyRun, report: Mapping[str, Any], drift: Mapping[str, int]
    ) -> bool:
        seconds = self._seconds_so_far(run)
        if seconds is None:
            return False
        add_done(self._connection, run.order, seconds, drift)
        return self._change(run, state=_DONE, finished_at=NOW, report=report, drift=drift)

    def fail(self, run: ConsistencyRun, reason: str) -> bool:
        failed = self._change(run, state=_FAILED, finished_at=NOW, reason=reason)
        if failed:
            add_failed(self._connection, run.order)
        return failed

    def give_back(self, run: ConsistencyRun, reason: str) -> bool:
        # It stays in its state: another of its kind may have been queued meanwhile.
        return self._change(run, attempts=runs.c.attempts - 1, reason=reason)

    def sweep(self) -> int:
        """Remove old runs, but the last good one of either kind; how many."""
        newest = sa.select(runs.c.id).order_by(runs.c.requested_at.desc()).limit(_MOST_KEPT)
        last_done = (
            sa.select(runs.c.id)
            .ext(distinct_on(MENDS))
            .where(runs.c.state == _DONE)
            .order_by(MENDS, runs.c.finished_at.desc())
        )
        old = runs.c.finished_at < sa.func.now() - _KEPT_FOR
        swept = sa.delete(runs).where(
            ENDED, sa.or_(old, runs.c.id.not_in(newest)), runs.c.id.not_in(last_done)
        )
        return self._connection.execute(swept).rowcount

    def _give_up_what_was_begun_too_often(self) -> None:
        given_up = self._connection.execute(
            sa.update(runs)
            .where(runs.c.state == _RUNNING, runs.c.attempts >= MOST_ATTEMPTS)
            .values(state=_FAILED, finished_at=NOW, reason=UNFINISHED)
            .returning(runs)
        )
        for row in given_up:
            add_failed(self._connection, as_run(row).order)

    def _seconds_so_far(self, run: ConsistencyRun) -> float | None:
        """``None`` when another attempt than this one is running, or none; else it is locked."""
        passed = sa.extract("epoch", NOW - runs.c.started_at)
        seconds = self._connection.scalar(sa.select(passed).where(*_is(run)).with_for_update())
        return None if seconds is None else float(seconds)

    def _change(self, run: ConsistencyRun, **values: Any) -> bool:
        """Whether this attempt was the one that is running."""
        changed = self._connection.execute(sa.update(runs).where(*_is(run)).values(**values))
        return bool(changed.rowcount)


def _is(run: ConsistencyRun) -> tuple[sa.ColumnElement[bool], ...]:
    return runs.c.id == run.id, runs.c.state == _RUNNING, runs.c.attempts == run.attempts
