"""Waiting for announcements of new work: LISTEN on a connection of its own.

Invariant: a wait never lasts longer than asked and never raises for a lost connection. After
every connect the first wait ends at once, because what was announced before went unheard.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress

import psycopg2
from psycopg2 import extensions

from atom_backend.relational import deadline
from atom_backend.relational.engine import normalized_url
from atom_backend.relational.tables import WORKER_CHANNEL

_RETRY = 1.0
"""Seconds between attempts to reach a server that does not answer."""

_LEAST = 0.5
"""Seconds that one attempt may take even if less is left of the wait."""


class PostgresWakeup:
    """For one waiting thread; ``close`` may be called from any, and ends a running wait."""

    def __init__(
        self, url: str, *, channel: str = WORKER_CHANNEL, connect_timeout: float = 5.0
    ) -> None:
        plain = normalized_url(url).set(drivername="postgresql")
        self._dsn = plain.render_as_string(hide_password=False)
        self._channel = channel
        self._connect_timeout = connect_timeout
        self._connection: extensions.connection | None = None
        self._order, self._ear = socket.socketpair()
        self._waiting = threading.Lock()
        self._closed = False

    def wait(self, seconds: float) -> bool:
        """Returns early, with True, when new work was announced."""
        with self._waiting:
            return False if self._closed else self._wait(time.monotonic() + seconds)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._order.send(b".")
        with self._waiting:
            self._drop()
            self._order.close()
            self._ear.close()

    def _wait(self, until: float) -> bool:
        while True:
            left = until - time.monotonic()
            patience = min(self._connect_timeout, max(left, _LEAST))
            if self._connection is None and self._connect(patience):
                return True
            pause = min(left, _RETRY) if self._connection is None else left
            if self._ordered_to_close(max(0.0, pause)):
                return False
            if self._announced():
                return True
            if left <= 0:
                return False

    def _connect(self, patience: float) -> bool:
        try:
            self._connection = psycopg2.connect(
                self._dsn,
                application_name="atom-backend-wakeup",
                connection_factory=deadline.connections(patience),
            )
            self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(f"listen {self._channel}")
        except psycopg2.Error:
            self._drop()
            return False
        return True

    def _ordered_to_close(self, seconds: float) -> bool:
        """Pause until something arrives, and say whether that was the order to close."""
        poller = select.poll()
        poller.register(self._ear, select.POLLIN)
        if self._connection is not None:
            poller.register(self._connection, select.POLLIN)
        arrived = poller.poll(seconds * 1000)
        return any(descriptor == self._ear.fileno() for descriptor, _ in arrived)

    def _announced(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.poll()
        except psycopg2.Error:
            self._drop()
            return False
        heard = bool(self._connection.notifies)
        self._connection.notifies.clear()
        return heard

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        self._connection = None
