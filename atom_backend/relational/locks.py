"""Locks by name that end with their transaction (advisory locks of PostgreSQL).

Transaction-level only: a session-level lock would stay with a pooler's connection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.relational.deadline import patience
from atom_backend.relational.engine import create_engine


def lock_number(*name: str) -> int:
    """A signed 64-bit number for a name: equal in every process and on every server version."""
    digest = hashlib.sha256("\0".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def try_lock(connection: Connection, *name: str) -> bool:
    """Hold the lock until the transaction ends; False when another transaction holds it."""
    attempt = sa.func.pg_try_advisory_xact_lock(lock_number(*name), type_=sa.Boolean)
    return bool(connection.scalar(sa.select(attempt)))


def lock(connection: Connection, *name: str) -> None:
    """Wait for the lock, as long as the transaction's ``lock_timeout`` allows."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_number(*name))))


@contextmanager
def turn(url: str, name: str, *, seconds: float = 600.0) -> Iterator[None]:
    """Do something that only one process may do at a time, waiting for the one before.

    Raises DatabaseUnavailable when the one before takes longer than ``seconds``.
    """
    engine = create_engine(url, max_connections=0)
    try:
        with engine.begin() as connection, patience(connection, seconds):
            lock(connection, "turn", name)
            yield
    finally:
        engine.dispose()
