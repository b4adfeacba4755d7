"""Leasing: how a worker gets the right to work on due entries.

Invariant: two workers never hold one entry (``FOR UPDATE SKIP LOCKED``), attempts are counted
when the lease is taken, and an entry out of attempts is parked with a reason (I5).

``holders`` are the workers that took the entry and have not been heard of since, the last one
being its present holder. A worker that has lost touch with PostgreSQL takes back its attempts once
it is there again, even from entries that others have taken over meanwhile; one that has died does
not, and that is how the two are told apart.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.backoff import SUSPECT_AFTER, together
from atom_backend.domain.index_state import EntryState, Lease
from atom_backend.domain.items import Kind
from atom_backend.relational.tables import index_entries as entries
from atom_backend.relational.tables import lease_fence

NOW = sa.func.clock_timestamp()
UNFINISHED = "the worker did not finish"

_DUE, _LEASED = EntryState.DUE.value, EntryState.LEASED.value
_PARKED = EntryState.PARKED.value
_WAITING = entries.c.state.in_([_DUE, _LEASED])
_LAST_REASON = sa.case((entries.c.state == _LEASED, UNFINISHED), else_=entries.c.reason)


def seconds_from_now(seconds: float | sa.ColumnElement[float]) -> sa.ColumnElement[object]:
    return NOW + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def lease(
    connection: Connection,
    holder: UUID,
    *,
    limit: int,
    seconds: float,
    suspects: bool,
    max_attempts: int,
) -> list[Lease]:
    """Take due entries and those whose lease ran out, oldest first, under one new fence.

    Of suspects only those that have failed as often as the oldest, and the fewer the more often.
    """
    _park_exhausted(connection, max_attempts)
    chosen = entries.c.attempts < SUSPECT_AFTER
    if suspects:
        failed = _attempts_of_the_oldest_suspect(connection, max_attempts)
        if failed is None:
            return []
        chosen = entries.c.attempts == failed
        limit = together(failed, batch=limit, max_attempts=max_attempts)
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
            holders=sa.func.array_append(entries.c.holders, holder),
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


def give_back(connection: Connection, holder: UUID) -> int:
    """Make due what this holder has leased, and take its attempts back; how many entries."""
    name = sa.literal(holder)
    lost = (
        sa.select(entries.c.item_id)
        .where(_WAITING, name == sa.any_(entries.c.holders))
        .order_by(entries.c.item_id)
        .with_for_update()
        .cte("lost")
    )
    own = sa.and_(
        entries.c.state == _LEASED,
        entries.c.holders[sa.func.cardinality(entries.c.holders)] == name,
    )
    times = sa.func.cardinality(sa.func.array_positions(entries.c.holders, name))
    changed = connection.execute(
        sa.update(entries)
        .where(entries.c.item_id == lost.c.item_id)
        .values(
            state=sa.case((own, _DUE), else_=entries.c.state),
            due_at=sa.case((own, NOW), else_=entries.c.due_at),
            attempts=sa.func.greatest(0, entries.c.attempts - times),
            holders=sa.func.array_remove(entries.c.holders, name),
        )
    )
    return changed.rowcount


def _attempts_of_the_oldest_suspect(connection: Connection, max_attempts: int) -> int | None:
    suspect = entries.c.attempts >= SUSPECT_AFTER
    oldest = _takeable(suspect, entries.c.attempts < max_attempts).limit(1)
    attempts: int | None = connection.scalar(oldest.with_only_columns(entries.c.attempts))
    return attempts


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
