"""Erasures in PostgreSQL: begun by the leaving owner, completed by the worker, read by anybody.

Invariant: what is left is counted each time that it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.erasures import Erasure
from atom_backend.errors import NotFound
from atom_backend.relational.tables import index_entries, metadata

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("items_total", sa.BigInteger, nullable=False),
    sa.Column(
        "requested_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.text("now()"),
    ),
    sa.Column("completed_at", sa.DateTime(timezone=True)),
    sa.Index("erasures_running", "owner_id", postgresql_where=sa.text("completed_at is null")),
)

_NOW = sa.func.clock_timestamp()
_LEFT = (
    sa.select(sa.func.count())
    .where(index_entries.c.owner_id == erasures.c.owner_id)
    .correlate(erasures)
    .scalar_subquery()
)


class PostgresOwnErasures:
    """The erasure of the transaction's owner (role ``atom_app``)."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def begin(self, erasure_id: UUID) -> Erasure:
        # Whose entries these are, row-level security says.
        total = self._connection.scalar(sa.select(sa.func.count()).select_from(index_entries)) or 0
        row = self._connection.execute(
            insert(erasures)
            .values(
                id=erasure_id,
                owner_id=self._owner_id,
                items_total=total,
                completed_at=None if total else _NOW,
            )
            .returning(*erasures.c, sa.literal(total).label("items_left"))
        ).one()
        return _as_erasure(row)


class PostgresErasures:
    """Every erasure (role ``atom_worker``)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, erasure_id: UUID) -> Erasure:
        row = self._connection.execute(
            sa.select(*erasures.c, _LEFT.label("items_left")).where(erasures.c.id == erasure_id)
        ).one_or_none()
        if row is None:
            raise NotFound()
        return _as_erasure(row)


def complete(connection: Connection, owners: Collection[UUID]) -> None:
    """Note the time at which the last tombstone of one of these owners went.

    Two workers may remove the last two at once, and neither sees what the other has removed: the
    lock makes the second one look when the first has committed.
    """
    running = sa.and_(
        erasures.c.owner_id == sa.any_(sa.literal(list(owners), ARRAY(sa.Uuid))),
        erasures.c.completed_at.is_(None),
    )
    locked = sa.select(erasures.c.id).where(running).order_by(erasures.c.id).with_for_update()
    if connection.scalars(locked).all():
        connection.execute(sa.update(erasures).where(running, _LEFT == 0).values(completed_at=_NOW))


def _as_erasure(row: Row[*tuple[Any, ...]]) -> Erasure:
    return Erasure(
        id=row.id,
        items_total=row.items_total,
        items_left=row.items_left,
        requested_at=row.requested_at,
        completed_at=row.completed_at,
    )
