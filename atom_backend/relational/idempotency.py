"""Answers kept by idempotency key, so that a repeated request is not done twice.

Invariant: of two requests with one key only one runs at a time; the later one finds the earlier
one's answer or is told that it is still in progress.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from atom_backend.domain.owner_work import StoredResponse
from atom_backend.errors import Conflict
from atom_backend.relational.locks import try_lock
from atom_backend.relational.tables import idempotency_keys as kept


class PostgresIdempotency:
    """One owner's idempotency keys; an answer older than ``keep`` counts as absent."""

    def __init__(self, connection: Connection, owner_id: UUID, keep: timedelta) -> None:
        self._connection = connection
        self._owner_id = owner_id
        self._keep = keep

    def claim(self, key: str) -> StoredResponse | None:
        if not try_lock(self._connection, "idempotency", str(self._owner_id), key):
            raise Conflict(
                "A request with this idempotency key is still in progress.",
                code="idempotency_in_progress",
            )
        # A second statement on purpose: a snapshot taken before the lock was free would miss the
        # answer that the lock's last holder has just committed.
        row = self._connection.execute(
            sa.select(kept).where(
                kept.c.owner_id == self._owner_id,
                kept.c.key == key,
                kept.c.created_at > sa.func.now() - self._keep,
            )
        ).one_or_none()
        if row is None:
            return None
        return StoredResponse(
            fingerprint=bytes(row.fingerprint),
            status=row.status,
            headers=row.headers,
            body=bytes(row.body),
        )

    def store(self, key: str, response: StoredResponse) -> None:
        values = {
            "fingerprint": response.fingerprint,
            "status": response.status,
            "headers": dict(response.headers),
            "body": response.body,
            "created_at": sa.func.now(),
        }
        self._connection.execute(
            insert(kept)
            .values(owner_id=self._owner_id, key=key, **values)
            .on_conflict_do_update(index_elements=[kept.c.owner_id, kept.c.key], set_=values)
        )
