"""The audit trail's seals (role ``atom_auditor``): added, and read back with their entries.

Entries become visible in another order than that of their ``id``, because transactions commit as
they like, and some never do. Sealing takes what it can see and no seal has, so nothing that is
committed later is forgotten; the mark keeps it from looking through all entries each time. Whoever
inserts an entry has a transaction number before the entry has its ``id`` (trigger ``begun``). So
once every transaction has ended that was numbered when an ``id`` was seen, no entry with a lower
one can turn up. Invariant: a position is taken once and an entry sealed once, also where two
processes seal; the constraints hold that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.audit_chain import (
    FIELDS,
    GENESIS,
    Depth,
    EntryText,
    Head,
    Link,
    Mark,
    Moment,
    Seal,
)
from atom_backend.relational.audit import audit_entries
from atom_backend.relational.locks import try_lock
from atom_backend.relational.tables import metadata

audit_seals = sa.Table(
    "audit_seals",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("entry_id", name="audit_seals_entry_key"),
)

audit_chain = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("single", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("pruned_position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("pruned_digest", sa.LargeBinary),
    sa.Column("settled_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("watched_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("watched_until", sa.BigInteger, nullable=False, server_default="0"),
)

_entries, _seals, _chain = audit_entries.c, audit_seals.c, audit_chain.c


def _text(name: str) -> sa.ColumnElement[Any]:
    column = _entries[name]
    if name == "at":
        return sa.cast(sa.func.extract("epoch", column), sa.Text)
    return sa.cast(column, sa.Text)


_CONTENT = [_text(name).label(f"{name}_text") for name in FIELDS]
_SEALED = sa.exists().where(_seals.entry_id == _entries.id)

_MOMENT = sa.text("""
    select coalesce((select max(id) from audit_entries), 0) as latest_id,
        cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint) as oldest_running,
        cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint) as next_transaction
""")


class PostgresAuditChain:
    """All entries and seals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self) -> bool:
        return try_lock(self._connection, "duty", "audit chain")

    def base(self) -> Head:
        row = self._connection.execute(sa.select(_chain.pruned_position, _chain.pruned_digest))
        position, digest = row.one()
        return Head(position, GENESIS if digest is None else bytes(digest))

    def head(self) -> Head:
        newest = sa.select(_seals.position, _seals.digest).order_by(_seals.position.desc())
        row = self._connection.execute(newest.limit(1)).one_or_none()
        return self.base() if row is None else Head(row.position, bytes(row.digest))

    def depth(self) -> Depth:
        age = sa.func.extract("epoch", sa.func.now() - sa.func.min(_entries.at))
        waiting = sa.select(sa.func.count().label("entries"), sa.func.coalesce(age, 0).label("age"))
        waiting = waiting.where(_entries.id > self.mark().settled_id, ~_SEALED)
        row = self._connection.execute(waiting).one()
        return Depth(self.head().position, row.entries, float(row.age))

    def mark(self) -> Mark:
        marked = sa.select(_chain.settled_id, _chain.watched_id, _chain.watched_until)
        return Mark(*self._connection.execute(marked).one())

    def move_mark(self, mark: Mark) -> None:
        self._connection.execute(
            sa.update(audit_chain).values(
                settled_id=mark.settled_id,
                watched_id=mark.watched_id,
                watched_until=mark.watched_until,
            )
        )

    def moment(self) -> Moment:
        return Moment(*self._connection.execute(_MOMENT).one())

    def unsealed(self, after_id: int, limit: int) -> list[tuple[int, EntryText]]:
        waiting = sa.select(_entries.id, *_CONTENT).where(_entries.id > after_id, ~_SEALED)
        rows = self._connection.execute(waiting.order_by(_entries.id).limit(limit))
        return [(row[0], row[1:]) for row in rows]

    def add(self, seals: Sequence[Seal]) -> None:
        rows = [
            {"position": one.position, "entry_id": one.entry_id, "digest": one.digest}
            for one in seals
        ]
        self._connection.execute(sa.insert(audit_seals), rows)

    def links(self, after: int, limit: int) -> list[Link]:
        asked = (
            sa.select(_seals.position, _seals.entry_id, _seals.digest, *_CONTENT)
            .join_from(audit_seals, audit_entries, _seals.entry_id == _entries.id, isouter=True)
            .where(_seals.position > after)
            .order_by(_seals.position)
            .limit(limit)
        )
        return [
            Link(row[0], row[1], bytes(row[2]), None if row[3] is None else row[3:])
            for row in self._connection.execute(asked)
        ]

    def strays(self, after_id: int, limit: int) -> tuple[int | None, list[int]]:
        asked = sa.select(_entries.id, _SEALED.label("sealed")).where(_entries.id > after_id)
        some = asked.order_by(_entries.id).limit(limit).subquery()
        found = sa.select(
            sa.func.max(some.c.id),
            sa.func.array_agg(some.c.id).filter(~some.c.sealed),
        )
        last, strays = self._connection.execute(found).one()
        return last, list(strays or ())


class PostgresAuditorWork:
    """A transaction of the auditor."""

    def __init__(self, connection: Connection) -> None:
        self.chain = PostgresAuditChain(connection)
