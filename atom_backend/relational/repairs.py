"""What a repair does to the index entries (role ``atom_worker``).

Invariant: an entry is changed only where it is still as the check saw it, or where it contradicts
its item's own row, which one statement compares and corrects. Rows are locked in one order, as
everywhere, so that a repair and a worker never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection

from atom_backend.domain.index_state import EntryState
from atom_backend.relational.leases import NOW
from atom_backend.relational.owner_index import burial, due_again
from atom_backend.relational.tables import WORKER_CHANNEL, items, lease_fence
from atom_backend.relational.tables import index_entries as entries

_STEP = 1 << 20
"""How far beyond a fence the sequence is put. Reading where it stands and moving it are two acts;
nobody draws a million fences in between, so it never goes back."""


class PostgresRepairs:
    """The entries of every owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def requeue(self, fences: Mapping[UUID, int]) -> int:
        given = sa.func.unnest(
            sa.literal(list(fences), ARRAY(sa.Uuid)),
            sa.literal(list(fences.values()), ARRAY(sa.BigInteger)),
        ).table_valued(sa.column("item_id", sa.Uuid), sa.column("fence", sa.BigInteger))
        given = given.alias("given").render_derived()
        chosen = _locked(
            entries.c.item_id == given.c.item_id,
            entries.c.state == EntryState.SETTLED.value,
            sa.func.coalesce(entries.c.fence, 0) == given.c.fence,
        )
        return self._announce(_requeued(chosen))

    def reconcile(self, item_ids: Sequence[UUID]) -> int:
        among = sa.any_(sa.literal(list(item_ids), ARRAY(sa.Uuid)))
        return self._announce(_adoption(among)) + self._announce(_burial(among))

    def outrank(self, fence: int) -> None:
        position = sa.table(lease_fence.name, sa.column("last_value", sa.BigInteger))
        beyond = sa.func.setval(lease_fence.name, sa.literal(fence + _STEP, sa.BigInteger))
        self._connection.execute(
            sa.select(beyond).select_from(position).where(position.c.last_value < fence)
        )

    def parked(self) -> Mapping[str, int]:
        number = sa.func.count().label("number")
        rows = self._connection.execute(
            sa.select(entries.c.reason, number)
            .where(entries.c.state == EntryState.PARKED.value)
            .group_by(entries.c.reason)
            .order_by(number.desc(), entries.c.reason)
        )
        return {row.reason: row.number for row in rows}

    def retry_parked(self) -> int:
        return self._announce(_requeued(_locked(entries.c.state == EntryState.PARKED.value)))

    def _announce(self, change: sa.UpdateBase) -> int:
        """Make the change, and wake the workers once it is committed; how many it was about."""
        changed = self._connection.execute(change).rowcount
        if changed:
            self._connection.execute(sa.select(sa.func.pg_notify(WORKER_CHANNEL, "")))
        return changed


def _locked(*conditions: sa.ColumnElement[bool]) -> sa.CTE:
    return (
        sa.select(entries.c.item_id)
        .where(*conditions)
        .order_by(entries.c.item_id)
        .with_for_update(of=entries)
        .cte("locked")
    )


def _requeued(chosen: sa.CTE) -> sa.Update:
    """Due at once, with all attempts ahead; what the vector store holds counts for nothing."""
    return (
        sa.update(entries)
        .where(entries.c.item_id == chosen.c.item_id)
        .values(indexed_revision=0, **due_again())
    )


def _adoption(among: Any) -> sa.UpdateBase:
    """Entries as the items' rows want them. A lease stays, and ends as after a write meanwhile."""
    rows = (
        sa.select(
            items.c.id,
            items.c.owner_id,
            items.c.kind,
            items.c.content_revision,
            sa.literal(EntryState.DUE.value),
            NOW,
            NOW,
        )
        .where(items.c.id == among)
        .order_by(items.c.id)
    )
    names = ["item_id", "owner_id", "kind", "revision", "state", "due_at", "requested_at"]
    adoption = insert(entries).from_select(names, rows)
    new = adoption.excluded
    return adoption.on_conflict_do_update(
        index_elements=[entries.c.item_id],
        set_={
            "owner_id": new.owner_id,
            "kind": new.kind,
            "revision": new.revision,
            "indexed_revision": 0,
            "deleted": False,
            **due_again(),
        },
        where=sa.or_(
            entries.c.owner_id != new.owner_id,
            entries.c.kind != new.kind,
            entries.c.revision != new.revision,
            entries.c.deleted,
        ),
    )


def _burial(among: Any) -> sa.Update:
    """Tombstones for what has no row of its own."""
    homeless = _locked(
        entries.c.item_id == among,
        sa.not_(entries.c.deleted),
        sa.not_(sa.exists().where(items.c.id == entries.c.item_id)),
    )
    return burial().where(entries.c.item_id == homeless.c.item_id)
