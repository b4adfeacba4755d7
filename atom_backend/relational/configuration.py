"""What administrators configured, for the whole service.

Invariant: row-level security lets nobody write it but administrators, and the role that signs
people in, under which an operator's commands run; no query here says so.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.configuration import option_id
from atom_backend.domain.options import Stored
from atom_backend.relational.tables import configuration


class PostgresConfiguration:
    """The configured keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def every(self) -> list[Stored]:
        return [_as_stored(row) for row in self._connection.execute(sa.select(configuration))]

    def get(self, key: str, *, for_update: bool = False) -> Stored | None:
        query = sa.select(configuration).where(configuration.c.key == key)
        row = self._connection.execute(
            query.with_for_update() if for_update else query
        ).one_or_none()
        return None if row is None else _as_stored(row)

    def put(self, key: str, value: Any, by: UUID | None) -> Stored:
        written = {"value": value, "updated_by": by, "updated_at": sa.func.now()}
        row = self._connection.execute(
            insert(configuration)
            .values(id=option_id(key), key=key, **written)
            .on_conflict_do_update(
                index_elements=[configuration.c.key],
                set_=written | {"revision": configuration.c.revision + 1},
            )
            .returning(configuration)
        ).one()
        return _as_stored(row)

    def remove(self, key: str) -> None:
        self._connection.execute(sa.delete(configuration).where(configuration.c.key == key))


def _as_stored(row: Row[Any]) -> Stored:
    return Stored(row.key, row.value, row.revision, row.updated_at, row.updated_by)
