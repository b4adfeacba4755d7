"""Leasing: how a worker gets the right to work on due entries.

Invariant: two workers never hold one entry (``FOR UPDATE SKIP LOCKED``), attempts are counted
when the lease is taken, and an entry out of attempts is parked with a reason (I5).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.backoff import SUSPECT_AFTER
from atom_backend.domain.index_state import EntryState, Lease
from atom_backend.domain.items import Kind
from atom_backend.relational.tables import index_entries as entries
from atom_backend.relational.tables import lease_fence

NOW = sa.func.clock_timestamp()
UNFINISHED = "the worker did not finish"

_LEASED, _PARKED = EntryState.LEASED.value, EntryState.PARKED.value
_WAITING = entries.c.state.in_([EntryState.DUE.value, _LEASED])
_LAST_REASON = sa.case((entries.c.state == _LEASED, UNFINISHED), else_=entries.c.reason)


def seconds_from_now(seconds: float | sa.ColumnElement[float]) -> sa.ColumnElement[object]:
    return NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def lease(
    connection: Connection, *, limit: int, seconds: float, suspects: bool, max_attempts: int
) -> list[Lease]:
    """Take due entries and those whose lease ran out, oldest first, under one new fence."""
    _park_exhausted(connection, max_attempts)
    suspect = entries.c.attempts >= SUSPECT_AFTER
    chosen = suspect if suspects else sa.not_(suspect)
    picked = _takeable(chosen, entries.c.attempts < max_attempts).limit(limit).cte("picked")
    # The fence is drawn after every row is locked (the count waits for them), so that of two
    # leases of one entry the later one has the higher fence.
    locked = sa.select(sa.func.count()).select_from(picked).subquery("locked")
    drawn = sa.select(lease_fence.next_value().label("fence")).select_from(locked).cte("drawn")
    rows = connection.execute(
        sa.update(entries)
        .where(entries.c.item_id == picked.c.item_id)
        .values(
            state=_LEASED,
            fence=sa.select(drawn.c.fence).scalar_subquery(),
            due_at=seconds_from_now(seconds),
            attempts=entries.c.attempts + 1,
            leased_revision=entries.c.revision,
            reason=_LAST_REASON,
        )
        .returning(entries)
    )
    return [
        Lease(
            item_id=row.item_id,
            owner_id=row.owner_id,
            kind=Kind(row.kind),
            revision=row.revision,
            deleted=row.deleted,
            attempts=row.attempts,
            fence=row.fence,
            until=row.due_at,
        )
        for row in rows
    ]


def _park_exhausted(connection: Connection, max_attempts: int) -> None:
    exhausted = _takeable(entries.c.attempts >= max_attempts).cte("exhausted")
    attempts = sa.cast(entries.c.attempts, sa.Text)
    reason = "gave up after " + attempts + " attempts: " + sa.func.coalesce(_LAST_REASON, "unknown")
    connection.execute(
        sa.update(entries)
        .where(entries.c.item_id == exhausted.c.item_id)
        .values(state=_PARKED, reason=reason)
    )


def _takeable(*conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[object]]:
    """Waiting entries whose moment has come, oldest first, locked; those of others are skipped.

    The statement's time, because an index cannot be searched for a clock that moves.
    """
    return (
        sa.select(entries.c.item_id)
        .where(_WAITING, entries.c.due_at <= sa.func.statement_timestamp(), *conditions)
        .order_by(entries.c.due_at)
        .with_for_update(skip_locked=True)
    )
