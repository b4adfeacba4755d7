"""The worker's side of the index entries (role ``atom_worker``): what is left after leasing.

Invariant: a call that names a fence first locks the entries that are still leased under it, in
one order, and touches no other (compare-and-set: a late worker changes nothing). An entry that
was rewritten while it was leased becomes due at once, whatever its worker says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from atom_backend.domain.index_state import (
    Confirmation,
    EntryState,
    IndexStatistics,
    Lease,
    Postponement,
)
from atom_backend.relational.erasures import complete
from atom_backend.relational.index_statistics import seconds_until_due, statistics
from atom_backend.relational.leases import NOW, give_back, lease, seconds_from_now
from atom_backend.relational.tables import index_entries as entries

_DUE, _SETTLED, _PARKED = EntryState.DUE.value, EntryState.SETTLED.value, EntryState.PARKED.value
_NOBODY = sa.literal([], ARRAY(sa.Uuid))
_OTHERS = sa.func.trim_array(
    entries.c.holders, sa.func.least(1, sa.func.cardinality(entries.c.holders))
)
"""The holders without the present one, who has been heard of."""

_REWRITTEN = entries.c.revision != entries.c.leased_revision


class PostgresWorkerIndex:
    """The entries of every owner. All times are the database's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lease(
        self, holder: UUID, *, limit: int, seconds: float, suspects: bool, max_attempts: int
    ) -> list[Lease]:
        return lease(
            self._connection,
            holder,
            limit=limit,
            seconds=seconds,
            suspects=suspects,
            max_attempts=max_attempts,
        )

    def give_back(self, holder: UUID) -> int:
        return give_back(self._connection, holder)

    def extend(self, item_ids: Sequence[UUID], fence: int, seconds: float) -> set[UUID]:
        until = sa.func.greatest(entries.c.due_at, seconds_from_now(seconds))
        wanted = sa.update(entries).where(sa.not_(_REWRITTEN)).values(due_at=until)
        return self._change(wanted, _held(item_ids, fence))

    def confirm(self, confirmations: Sequence[Confirmation], fence: int) -> set[UUID]:
        held = _held([one.item_id for one in confirmations], fence)
        given = _given(
            ("item_id", sa.Uuid, [one.item_id for one in confirmations]),
            ("revision", sa.BigInteger, [one.revision for one in confirmations]),
            ("spec", sa.Text, [one.spec for one in confirmations]),
            ("chunk_count", sa.Integer, [one.chunk_count for one in confirmations]),
        )
        reached = sa.and_(given.c.revision >= entries.c.revision, sa.not_(entries.c.deleted))
        return self._change(
            sa.update(entries)
            .where(entries.c.item_id == given.c.item_id)
            .values(
                indexed_revision=sa.func.greatest(entries.c.indexed_revision, given.c.revision),
                spec=given.c.spec,
                chunk_count=given.c.chunk_count,
                settled_at=NOW,
                state=sa.case((reached, _SETTLED), else_=_DUE),
                due_at=NOW,
                # What still waits was written after this worker read it: its wait starts anew.
                requested_at=sa.case((reached, entries.c.requested_at), else_=NOW),
                attempts=0,
                holders=_NOBODY,
                reason=None,
            ),
            held,
        )

    def purge(self, item_ids: Sequence[UUID], fence: int) -> set[UUID]:
        held = _held(item_ids, fence)
        gone = self._connection.execute(
            sa.delete(entries)
            .where(entries.c.item_id == held.c.item_id, entries.c.deleted)
            .returning(entries.c.item_id, entries.c.owner_id)
        ).all()
        complete(self._connection, {row.owner_id for row in gone})
        return {row.item_id for row in gone}

    def postpone(self, postponements: Sequence[Postponement], fence: int) -> set[UUID]:
        held = _held([one.item_id for one in postponements], fence)
        given = _given(
            ("item_id", sa.Uuid, [one.item_id for one in postponements]),
            ("delay", sa.Float, [one.delay for one in postponements]),
            ("reason", sa.Text, [one.reason for one in postponements]),
            ("refund", sa.Integer, [int(one.refund) for one in postponements]),
        )
        return self._change(
            sa.update(entries)
            .where(entries.c.item_id == given.c.item_id)
            .values(
                state=_DUE,
                due_at=sa.case((_REWRITTEN, NOW), else_=seconds_from_now(given.c.delay)),
                attempts=sa.func.greatest(0, entries.c.attempts - given.c.refund),
                holders=_OTHERS,
                reason=_unless_rewritten(given.c.reason),
            ),
            held,
        )

    def park(self, reasons: Mapping[UUID, str], fence: int) -> set[UUID]:
        held = _held(list(reasons), fence)
        given = _given(
            ("item_id", sa.Uuid, list(reasons)), ("reason", sa.Text, list(reasons.values()))
        )
        return self._change(
            sa.update(entries)
            .where(entries.c.item_id == given.c.item_id)
            .values(
                state=sa.case((_REWRITTEN, _DUE), else_=_PARKED),
                due_at=NOW,
                holders=_OTHERS,
                reason=_unless_rewritten(given.c.reason),
            ),
            held,
        )

    def seconds_until_due(self) -> float | None:
        return seconds_until_due(self._connection)

    def require_spec(self, spec: str) -> int:
        # Two ranges instead of "<>", which no index can serve.
        other = sa.or_(entries.c.spec < spec, entries.c.spec > spec)
        changed = self._connection.execute(
            sa.update(entries)
            .where(entries.c.state == _SETTLED, other)
            .values(
                state=_DUE, due_at=NOW, requested_at=NOW, attempts=0, holders=_NOBODY, reason=None
            )
        )
        return changed.rowcount

    def statistics(self) -> IndexStatistics:
        return statistics(self._connection)

    def parked(self, limit: int) -> list[tuple[UUID, str]]:
        rows = self._connection.execute(
            sa.select(entries.c.item_id, entries.c.reason)
            .where(entries.c.state == _PARKED)
            .order_by(entries.c.requested_at)
            .limit(limit)
        )
        return [(row.item_id, row.reason) for row in rows]

    def _change(self, change: sa.Update, held: sa.CTE) -> set[UUID]:
        only_held = change.where(entries.c.item_id == held.c.item_id)
        return set(self._connection.scalars(only_held.returning(entries.c.item_id)))


def _held(item_ids: Sequence[UUID], fence: int) -> sa.CTE:
    """Those of the entries that are still leased under the fence, locked in one order."""
    return (
        sa.select(entries.c.item_id)
        .where(
            entries.c.item_id == sa.any_(sa.literal(list(item_ids), ARRAY(sa.Uuid))),
            entries.c.state == EntryState.LEASED.value,
            entries.c.fence == fence,
        )
        .order_by(entries.c.item_id)
        .with_for_update()
        .cte("held")
    )


def _given(*columns: tuple[str, Any, list[Any]]) -> sa.TableValuedAlias:
    """Values as a table, one array a column: one statement for any number of entries."""
    arrays = [sa.literal(values, ARRAY(kind)) for _, kind, values in columns]
    typed = [sa.column(name, kind) for name, kind, _ in columns]
    return sa.func.unnest(*arrays).table_valued(*typed, name="given").render_derived()


def _unless_rewritten(reason: sa.ColumnElement[str]) -> sa.ColumnElement[str | None]:
    return sa.case((_REWRITTEN, sa.null()), else_=reason)
