"""What finished runs of check and repair add up to, for counters that never fall.

Invariant: a run is added once, in the transaction that gives it its end; drift that a check left
alone is not counted again by the run after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from atom_backend.domain.consistency import (
    ConsistencyTotals,
    RunKind,
    RunOrder,
    RunState,
    newly_found,
)
from atom_backend.relational.run_requests import MENDS
from atom_backend.relational.tables import consistency_runs as runs
from atom_backend.relational.tables import consistency_totals as totals

_DONE, _FAILED = RunState.DONE.value, RunState.FAILED.value
_FOUND, _SECONDS = "found", "seconds"


def add_failed(connection: Connection, order: RunOrder) -> None:
    _add(connection, _FAILED, {counted_as(order).value: 1})


def add_done(
    connection: Connection, order: RunOrder, seconds: float, drift: Mapping[str, int]
) -> None:
    """To be called before the run is marked as done: what it found anew is seen by the last one."""
    label = counted_as(order).value
    _add(connection, _DONE, {label: 1})
    _add(connection, _SECONDS, {label: seconds})
    _add(connection, _FOUND, newly_found(drift, _standing_drift(connection)))


def read_totals(connection: Connection) -> ConsistencyTotals:
    sums: dict[str, dict[str, float]] = defaultdict(dict)
    for row in connection.execute(sa.select(totals)):
        sums[row.name][row.label] = row.total
    last_done = _last_done(connection)
    return ConsistencyTotals(
        found=_whole(sums[_FOUND]),
        drift=last_done.drift if last_done else {},
        done=_whole(sums[_DONE]),
        failed=_whole(sums[_FAILED]),
        seconds=sums[_SECONDS],
        done_at=_done_at(connection),
    )


def counted_as(order: RunOrder) -> RunKind:
    """A dry run of a repair mends nothing: it is a check."""
    return RunKind.CHECK if order.dry_run else order.kind


def _add(connection: Connection, name: str, amounts: Mapping[str, float]) -> None:
    for label, amount in amounts.items():
        adding = insert(totals).values(name=name, label=label, total=amount)
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[totals.c.name, totals.c.label],
                set_={"total": totals.c.total + adding.excluded.total},
            )
        )


def _standing_drift(connection: Connection) -> Mapping[str, int]:
    """What the last run found and did not mend."""
    last_done = _last_done(connection)
    return last_done.drift if last_done and not last_done.mended else {}


def _last_done(connection: Connection) -> sa.Row[Any] | None:
    done = sa.select(runs.c.drift, MENDS.label("mended")).where(runs.c.state == _DONE)
    return connection.execute(done.order_by(runs.c.finished_at.desc()).limit(1)).one_or_none()


def _done_at(connection: Connection) -> dict[str, datetime]:
    last = sa.select(MENDS.label("mended"), sa.func.max(runs.c.finished_at).label("at"))
    rows = connection.execute(last.where(runs.c.state == _DONE).group_by(MENDS))
    return {(RunKind.REPAIR if row.mended else RunKind.CHECK).value: row.at for row in rows}


def _whole(sums: Mapping[str, float]) -> dict[str, int]:
    return {label: int(total) for label, total in sums.items()}
