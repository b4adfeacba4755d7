"""How an owner's writes announce themselves to the index (role ``atom_app``).

Invariant: an entry's revision only grows (I8). A valid lease stays with its worker, which learns
from the revision that its work is outdated; every other entry becomes due at once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.engine import Connection

from atom_backend.domain.index_state import EntryState
from atom_backend.domain.items import Kind
from atom_backend.errors import Conflict
from atom_backend.relational.deadline import at_length
from atom_backend.relational.prepared import PREPARED
from atom_backend.relational.tables import WORKER_CHANNEL
from atom_backend.relational.tables import index_entries as entries

_NOW = sa.func.clock_timestamp()
_WAKE = sa.func.pg_notify(WORKER_CHANNEL, "")


class PostgresOwnerIndex:
    """One owner's index entries."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def want(self, item_id: UUID, kind: Kind, revision: int) -> None:
        news = {"item": item_id, "owner": self._owner_id, "kind": kind.value, "revision": revision}
        self._connection.execute(_WANT, news)

    def welcome(self, item_id: UUID, kind: Kind, revision: int) -> None:
        news = {"item": item_id, "owner": self._owner_id, "kind": kind.value, "revision": revision}
        if self._connection.execute(_WELCOME, news).one_or_none() is None:
            raise Conflict(
                "An item of this identifier has not left the index yet: try again later.",
                code="being_erased",
            )

    def bury(self, item_id: UUID) -> None:
        self._connection.execute(_BURY, {"item": item_id})

    def bury_all(self) -> None:
        # Whose entries these are, row-level security says. In the order in which workers lock what
        # they hold, so that neither waits for the other.
        doomed = (
            sa.select(entries.c.item_id)
            .where(sa.not_(entries.c.deleted))
            .order_by(entries.c.item_id)
            .with_for_update()
            .cte("doomed")
        )
        with at_length(self._connection):
            self._connection.execute(
                _announced(burial().where(entries.c.item_id == doomed.c.item_id))
            )

    def one_indexed(self, *, seconds_ago: float) -> UUID | None:
        since = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds_ago)
        indexed = sa.and_(entries.c.state == EntryState.SETTLED.value, entries.c.chunk_count > 0)
        return self._connection.scalar(
            sa.select(entries.c.item_id).where(indexed, entries.c.settled_at < since).limit(1)
        )


def announcement(made: sa.CTE) -> sa.Select[Any]:
    """The first entries of items that were just made, which wake the workers at the commit.

    As many rows as entries.
    """
    values = {
        "item_id": made.c.id,
        "owner_id": made.c.owner_id,
        "kind": made.c.kind,
        "revision": made.c.revision,
        "state": sa.literal_column(f"'{EntryState.DUE.value}'"),
        "due_at": _NOW,
        "requested_at": _NOW,
    }
    entry = insert(entries).from_select(list(values), sa.select(*values.values()))
    added = entry.returning(entries.c.item_id).cte("entry")
    return sa.select(_WAKE.label("woken")).select_from(added)


def burial() -> sa.Update:
    """Entries become tombstones, which is news to whoever has leased them."""
    return sa.update(entries).values(revision=entries.c.revision + 1, deleted=True, **due_again())


def due_again() -> dict[str, Any]:
    """What an entry is given when there is news: a valid lease stays with its worker."""
    leased = sa.and_(entries.c.state == EntryState.LEASED.value, entries.c.due_at >= _NOW)
    waiting = entries.c.state.in_([EntryState.DUE.value, EntryState.LEASED.value])
    return {
        "state": sa.case((leased, entries.c.state), else_=EntryState.DUE.value),
        "due_at": sa.case((leased, entries.c.due_at), else_=_NOW),
        "attempts": 0,
        "holders": sa.literal([], ARRAY(sa.Uuid)),
        "reason": None,
        "requested_at": sa.case((waiting, entries.c.requested_at), else_=_NOW),
    }


def _announced(change: sa.Insert | sa.Update) -> sa.Select[Any]:
    """The change, which wakes the workers when its transaction commits, in one statement."""
    changed = change.returning(entries.c.item_id).cte("changed")
    return sa.select(_WAKE).where(sa.exists(sa.select(changed)))


def _news() -> Insert:
    return insert(entries).values(
        item_id=sa.bindparam("item"),
        owner_id=sa.bindparam("owner"),
        kind=sa.bindparam("kind"),
        revision=sa.bindparam("revision"),
        state=EntryState.DUE.value,
        due_at=_NOW,
        requested_at=_NOW,
    )


def _wanted() -> sa.Insert:
    wanted = _news()
    new = wanted.excluded.revision
    return wanted.on_conflict_do_update(
        index_elements=[entries.c.item_id],
        set_={
            "revision": sa.func.greatest(entries.c.revision, new),
            "deleted": sa.and_(entries.c.deleted, new <= entries.c.revision),
            **due_again(),
        },
    )


# Made once: making them takes longer than PostgreSQL takes to run them.
_WANT = _announced(_wanted()).execution_options(**PREPARED)
_WELCOME = _announced(_news().on_conflict_do_nothing())
_BURY = _announced(burial().where(entries.c.item_id == sa.bindparam("item")))
