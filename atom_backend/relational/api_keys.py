"""API keys: those of one owner (role ``atom_app``), and one that is presented (``atom_auth``).

Invariant: the application's role cannot read a digest; it can store one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.api_keys import ApiKey, StoredKey
from atom_backend.domain.permissions import Role, Scope
from atom_backend.errors import NotFound
from atom_backend.relational.tables import api_keys, users

_SHOWN = (
    api_keys.c.id,
    api_keys.c.name,
    api_keys.c.scopes,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.last_used_at,
)
_USE_IS_NEWS_AFTER = timedelta(minutes=1)


class PostgresOwnApiKeys:
    """The keys of the transaction's owner."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def every(self) -> list[ApiKey]:
        query = sa.select(*_SHOWN).where(self._own).order_by(api_keys.c.id.desc())
        return [_as_key(row) for row in self._connection.execute(query)]

    def get(self, key_id: UUID) -> ApiKey:
        query = sa.select(*_SHOWN).where(self._own, api_keys.c.id == key_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound()
        return _as_key(row)

    def add(
        self,
        key_id: UUID,
        digest: bytes,
        name: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None,
    ) -> ApiKey:
        insert = sa.insert(api_keys).values(
            id=key_id,
            owner_id=self._owner_id,
            digest=digest,
            name=name,
            scopes=sorted(scopes),
            expires_at=expires_at,
        )
        return _as_key(self._connection.execute(insert.returning(*_SHOWN)).one())

    def remove(self, key_id: UUID) -> None:
        delete = sa.delete(api_keys).where(self._own, api_keys.c.id == key_id)
        if not self._connection.execute(delete).rowcount:
            raise NotFound()

    @property
    def _own(self) -> sa.ColumnElement[bool]:
        return api_keys.c.owner_id == self._owner_id


class PostgresPresentedKeys:
    """The keys of everybody, one at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, key_id: UUID) -> StoredKey | None:
        row = self._connection.execute(
            sa.select(api_keys.c.digest, api_keys.c.scopes, users.c.id, users.c.role)
            .join_from(api_keys, users)
            .where(
                api_keys.c.id == key_id,
                sa.or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > sa.func.now()),
            )
        ).one_or_none()
        if row is None:
            return None
        return StoredKey(bytes(row.digest), row.id, Role(row.role), _scopes(row.scopes))

    def note_use(self, key_id: UUID) -> None:
        used = api_keys.c.last_used_at
        self._connection.execute(
            sa.update(api_keys)
            .where(
                api_keys.c.id == key_id,
                sa.or_(used.is_(None), used <= sa.func.now() - _USE_IS_NEWS_AFTER),
            )
            .values(last_used_at=sa.func.now())
        )


def _as_key(row: Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=_scopes(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def _scopes(stored: list[str]) -> frozenset[Scope]:
    """Without those that a later version no longer knows."""
    return frozenset(Scope(one) for one in stored if one in set(Scope))
