"""The owner's own account row (role ``atom_app``, which sees no credentials)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.accounts import User
from atom_backend.domain.permissions import Role
from atom_backend.errors import NotFound
from atom_backend.relational.deadline import at_length
from atom_backend.relational.tables import users

USER_COLUMNS = (
    users.c.id,
    users.c.email,
    users.c.display_name,
    users.c.role,
    users.c.created_at,
    users.c.updated_at,
)


class PostgresOwnAccount:
    """The account of the transaction's owner. Where nothing else is said, a method raises NotFound
    when it is gone."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def get(self) -> User:
        return self._one(sa.select(*USER_COLUMNS).where(users.c.id == self._owner_id))

    def rename(self, display_name: str | None) -> User:
        return self._one(
            sa.update(users)
            .where(users.c.id == self._owner_id)
            .values(display_name=display_name, updated_at=sa.func.now())
            .returning(*USER_COLUMNS)
        )

    def remove(self) -> None:
        # What else the owner has refers to this row and goes with it (on delete cascade).
        with at_length(self._connection):
            self._connection.execute(sa.delete(users).where(users.c.id == self._owner_id))

    def _one(self, statement: sa.Executable) -> User:
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound()
        return as_user(row)


def as_user(row: Row[*tuple[Any, ...]]) -> User:
    """The account in a row that holds ``USER_COLUMNS``."""
    return User(
        id=row.id,
        email=row.email,
        display_name=row.display_name,
        role=Role(row.role),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
