"""What is sealed, for the rotation of keys and for the canary.

Invariant: the role sees identifiers, owners and sealed columns, and writes nothing but the latter.
The key's id stands behind the version byte (``vault/envelope.py``), where SQL can compare it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection

from atom_backend.domain.audit import AuditAction
from atom_backend.domain.key_rotation import KeyUse, SealedRow
from atom_backend.domain.secrets import CANARY, SEALED_COLUMNS, SealedColumn
from atom_backend.relational.oauth_tables import vault_canary
from atom_backend.relational.tables import metadata

_CANARY = SealedColumn(CANARY.table, CANARY.column)
_ID_FROM, _ID_BYTES = 2, 8


class PostgresVaultWork:
    """A transaction on what is sealed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def canary(self, *, for_update: bool = False) -> bytes | None:
        query = sa.select(vault_canary.c.sealed)
        sealed = self._connection.scalar(query.with_for_update() if for_update else query)
        return None if sealed is None else bytes(sealed)

    def add_canary(self, sealed: bytes) -> None:
        added = insert(vault_canary).values(id=CANARY.row_id, sealed=sealed)
        self._connection.execute(added.on_conflict_do_nothing())

    def replace_canary(self, sealed: bytes) -> None:
        now = sa.func.now()
        self._connection.execute(sa.update(vault_canary).values(sealed=sealed, sealed_at=now))

    def uses(self) -> list[KeyUse]:
        counted = [_counted(one) for one in (*SEALED_COLUMNS, _CANARY)]
        return [
            KeyUse(row.table, row.column, bytes(row.key_id).hex(), row.secrets)
            for row in self._connection.execute(sa.union_all(*counted))
        ]

    def stale(
        self, table: str, key_id: str, *, after: UUID | None, limit: int, wait: bool
    ) -> list[SealedRow]:
        rows = metadata.tables[table]
        sealed = _sealed_columns(table)
        is_stale = sa.or_(*(_key_id(column) != bytes.fromhex(key_id) for column in sealed))
        query = sa.select(rows.c.id, rows.c.owner_id, *sealed).where(is_stale)
        if after is not None:
            query = query.where(rows.c.id > after)
        query = query.order_by(rows.c.id).limit(limit)
        names = [column.name for column in sealed]
        locked = query.with_for_update(key_share=True, skip_locked=not wait)
        return [
            SealedRow(table, row_id, owner_id, dict(zip(names, map(_bytes, cells), strict=True)))
            for row_id, owner_id, *cells in self._connection.execute(locked)
        ]

    def replace(self, rows: Sequence[SealedRow]) -> None:
        if not rows:
            return
        table = metadata.tables[rows[0].table]
        sealed = _sealed_columns(table.name)
        given = sa.func.unnest(
            sa.literal([row.row_id for row in rows], ARRAY(sa.Uuid)),
            *(
                sa.literal([row.sealed[column.name] for row in rows], ARRAY(sa.LargeBinary))
                for column in sealed
            ),
        ).table_valued(
            sa.column("id", sa.Uuid), *(sa.column(c.name, sa.LargeBinary) for c in sealed)
        )
        given = given.alias("given").render_derived()
        written = sa.update(table).where(table.c.id == given.c.id)
        self._connection.execute(written.values({c.name: given.c[c.name] for c in sealed}))

    def note(self, deed: AuditAction) -> None:
        self._connection.execute(
            sa.select(sa.func.atom_note(deed, "vault", sa.literal(CANARY.row_id, sa.Uuid)))
        )


def _sealed_columns(table: str) -> list[sa.Column[bytes]]:
    return [metadata.tables[table].c[one.column] for one in SEALED_COLUMNS if one.table == table]


def _counted(one: SealedColumn) -> sa.Select[str, str, bytes, int]:
    column = metadata.tables[one.table].c[one.column]
    return (
        sa.select(
            sa.literal(one.table).label("table"),
            sa.literal(one.column).label("column"),
            _key_id(column).label("key_id"),
            sa.func.count().label("secrets"),
        )
        .where(column.is_not(None))
        .group_by(_key_id(column))
    )


def _key_id(column: sa.ColumnElement[bytes]) -> sa.Function[bytes]:
    return sa.func.substring(column, _ID_FROM, _ID_BYTES, type_=sa.LargeBinary)


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
