"""An administrator's side of the runs of check and repair (role ``atom_app``).

Invariant: of each kind of run at most one is queued, so that asking again and again piles nothing
up. Who is an administrator is decided by the policies of the table.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from atom_backend.clock import new_id
from atom_backend.domain.consistency import ConsistencyRun, RunKind, RunOrder, RunState
from atom_backend.errors import DependencyError, NotFound
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.tables import consistency_runs as runs

QUEUED = RunState.QUEUED.value
ENDED = runs.c.state.in_([RunState.DONE.value, RunState.FAILED.value])
MENDS = sa.and_(runs.c.kind == RunKind.REPAIR.value, sa.not_(runs.c.dry_run))

_TRIES = 3


class PostgresRunRequests:
    """Asking for runs, and reading what came of them."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def request(self, order: RunOrder) -> ConsistencyRun:
        """Raises DependencyError when workers take what is queued faster than it can be read."""
        for _ in range(_TRIES):
            if enqueue(self._connection, order, self._owner_id):
                self._connection.execute(sa.select(sa.func.pg_notify(CONSISTENCY_CHANNEL, "")))
            queued = self._connection.execute(
                sa.select(runs).where(runs.c.state == QUEUED, *_of(order))
            ).one_or_none()
            if queued is not None:
                return as_run(queued)
        raise DependencyError()

    def get(self, run_id: UUID) -> ConsistencyRun:
        row = self._connection.execute(sa.select(runs).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise NotFound()
        return as_run(row)

    def latest(self, limit: int) -> list[ConsistencyRun]:
        found = sa.select(runs).order_by(runs.c.requested_at.desc(), runs.c.id.desc())
        return [as_run(row) for row in self._connection.execute(found.limit(limit))]

    def last(self, kind: RunKind) -> ConsistencyRun | None:
        return last(self._connection, kind)


def enqueue(connection: Connection, order: RunOrder, requested_by: UUID | None) -> bool:
    """Queue a run; False when one of its kind is queued already."""
    added = connection.execute(
        insert(runs)
        .values(
            id=new_id(),
            kind=order.kind.value,
            dry_run=order.dry_run,
            state=QUEUED,
            requested_by=requested_by,
        )
        .on_conflict_do_nothing(
            index_elements=[runs.c.kind, runs.c.dry_run], index_where=runs.c.state == QUEUED
        )
    )
    return bool(added.rowcount)


def last(connection: Connection, kind: RunKind) -> ConsistencyRun | None:
    """The run that ended last, well or not; a dry run of a repair counts as a check."""
    counted = MENDS if kind is RunKind.REPAIR else sa.not_(MENDS)
    row = connection.execute(
        sa.select(runs).where(ENDED, counted).order_by(runs.c.finished_at.desc()).limit(1)
    ).one_or_none()
    return None if row is None else as_run(row)


def as_run(row: sa.Row[Any]) -> ConsistencyRun:
    return ConsistencyRun(
        id=row.id,
        order=RunOrder(RunKind(row.kind), row.dry_run),
        state=RunState(row.state),
        attempts=row.attempts,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        drift=row.drift,
        report=row.report,
        reason=row.reason,
    )


def _of(order: RunOrder) -> tuple[sa.ColumnElement[bool], ...]:
    return runs.c.kind == order.kind.value, runs.c.dry_run.is_(order.dry_run)
