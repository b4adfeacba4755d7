"""The owner's own sessions (role ``atom_app``, which sees no tokens)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.sessions import Session
from atom_backend.errors import NotFound
from atom_backend.relational.tables import sessions


class PostgresOwnSessions:
    """The sessions of the transaction's owner."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def every(self) -> list[Session]:
        rows = self._connection.execute(
            sa.select(
                sessions.c.id,
                sessions.c.created_at,
                sessions.c.refreshed_at,
                sessions.c.expires_at,
                sessions.c.agent,
                sessions.c.address,
            )
            .where(self._open)
            .order_by(sessions.c.refreshed_at.desc(), sessions.c.id.desc())
        )
        return [Session(**row._mapping) for row in rows]

    def end(self, session_id: UUID) -> None:
        if not self._end(sessions.c.id == session_id):
            raise NotFound()

    def end_others(self, session_id: UUID) -> int:
        return self._end(sessions.c.id != session_id)

    @property
    def _open(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            sessions.c.user_id == self._owner_id,
            sessions.c.revoked_at.is_(None),
            sa.or_(sessions.c.expires_at.is_(None), sessions.c.expires_at > sa.func.now()),
        )

    def _end(self, which: sa.ColumnElement[bool]) -> int:
        ended = sa.update(sessions).where(self._open, which).values(revoked_at=sa.func.now())
        return self._connection.execute(ended).rowcount
