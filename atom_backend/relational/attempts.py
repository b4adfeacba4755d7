"""Failed attempts to log in and the like (roles ``atom_auth``, and ``atom_worker`` to sweep).

Invariant: rows are locked in the order of their keys, so two attempts never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from atom_backend.domain.throttling import FORGOTTEN_AFTER, KNOWN_FOR_DAYS, Tally
from atom_backend.relational.tables import metadata

failed_attempts = sa.Table(
    "failed_attempts",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column(
        "failed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    ),
    sa.Column("succeeded_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("octet_length(key) = 32", name="failed_attempts_key"),
    sa.Index("failed_attempts_by_age", "failed_at"),
)

_NOW = sa.func.clock_timestamp()
_FORGOTTEN = _NOW - timedelta(seconds=FORGOTTEN_AFTER)
_UNKNOWN = _NOW - timedelta(days=KNOWN_FOR_DAYS)
_TALLY = (
    failed_attempts.c.key,
    failed_attempts.c.failures,
    sa.func.extract("epoch", _NOW - failed_attempts.c.failed_at).label("age"),
    sa.func.coalesce(failed_attempts.c.succeeded_at > _UNKNOWN, sa.false()).label("known"),
)


class PostgresAttempts:
    """The tallies, by the database's clock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def look(self, keys: Sequence[bytes]) -> Mapping[bytes, Tally]:
        found = _tallies(
            self._connection.execute(sa.select(*_TALLY).where(failed_attempts.c.key.in_(keys)))
        )
        return {key: found.get(key, Tally()) for key in keys}

    def lock(self, keys: Sequence[bytes]) -> Mapping[bytes, Tally]:
        columns = failed_attempts.c
        return _tallies(
            self._connection.execute(
                insert(failed_attempts)
                .values([{"key": key} for key in sorted(keys)])
                # Changes nothing, but takes the lock.
                .on_conflict_do_update(
                    index_elements=[columns.key], set_={"failures": columns.failures}
                )
                .returning(*_TALLY)
            )
        )

    def count(self, keys: Sequence[bytes]) -> None:
        columns = failed_attempts.c
        fresh = sa.case((columns.failed_at <= _FORGOTTEN, 1), else_=columns.failures + 1)
        self._change(keys, failures=fresh, failed_at=_NOW)

    def succeed(self, own: bytes, shared: Sequence[bytes]) -> None:
        self.lock([own, *shared])
        self._change(shared, failures=sa.func.greatest(failed_attempts.c.failures - 1, 0))
        self._change([own], failures=0, succeeded_at=_NOW)

    def _change(self, keys: Sequence[bytes], **values: object) -> None:
        self._connection.execute(
            sa.update(failed_attempts).where(failed_attempts.c.key.in_(keys)).values(**values)
        )


def _tallies(rows: Iterable[sa.Row[Any]]) -> dict[bytes, Tally]:
    return {
        bytes(row.key): Tally(row.failures, max(0.0, float(row.age)), row.known) for row in rows
    }


def sweep(connection: Connection) -> int:
    """Remove what counts no more; how many rows."""
    columns = failed_attempts.c
    known = sa.func.coalesce(columns.succeeded_at > _UNKNOWN, sa.false())
    stale = sa.delete(failed_attempts).where(columns.failed_at <= _FORGOTTEN, sa.not_(known))
    return connection.execute(stale).rowcount
