"""A deadline on every answer of the server, for servers that fall silent.

A server's own timeouts help only while it runs and the network carries its word; TCP keepalives
only while the peer's kernel is gone too. psycopg2 lets a process wait for answers in its own way
(``set_wait_callback``): here with ``poll`` and a deadline kept by the connection. When it passes,
psycopg2 closes the connection, because nobody knows what would arrive on it next.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa
from psycopg2 import OperationalError, extensions
from sqlalchemy.engine import Connection

_EVENTS = {
    extensions.POLL_READ: select.POLLIN,
    extensions.POLL_WRITE: select.POLLOUT,
}


_AT_LENGTH = 120.0
"""Seconds; deleting an account of a million documents takes less than one minute."""
_GRACE = 2.0


class PatientConnection(extensions.connection):
    """A connection whose every answer must be complete within ``patience`` seconds."""

    patience: float = 5.0


@contextmanager
def patience(connection: Connection, seconds: float) -> Iterator[None]:
    """Allow the answers on this connection another time while the context lasts."""
    patient = cast(PatientConnection, connection.connection.dbapi_connection)
    usual, patient.patience = patient.patience, seconds
    try:
        yield
    finally:
        patient.patience = usual


@contextmanager
def at_length(connection: Connection) -> Iterator[None]:
    """Allow a statement whose work grows with an account as much time as it needs, in reason.

    To the end of the transaction as far as the server is concerned.
    """
    limit = sa.func.set_config("statement_timeout", f"{_AT_LENGTH:.0f}s", True)
    connection.execute(sa.select(limit))
    with patience(connection, _AT_LENGTH + _GRACE):
        yield


def connections(seconds: float) -> type[PatientConnection]:
    """A class of connections that wait this many seconds; the first call installs the waiting."""
    extensions.set_wait_callback(_wait)
    return type("Connection", (PatientConnection,), {"patience": seconds})


def _wait(connection: Any) -> None:
    seconds = getattr(connection, "patience", None)
    until = None if seconds is None else time.monotonic() + seconds
    while (state := connection.poll()) != extensions.POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), _EVENTS[state])
        left = None if until is None else max(0.0, until - time.monotonic()) * 1000
        if not poller.poll(left):
            raise OperationalError(f"no answer within {seconds:g} seconds")
