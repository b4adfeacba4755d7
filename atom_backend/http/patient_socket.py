"""A connection whose other end has to send at a modest speed.

Invariant: the time that a thread waits for one request is bounded by the bytes that it gets, and
with them by the limit on bodies; time that the service itself takes between two reads is not
counted.
"""

from __future__ import annotations

import socket
import time

from gunicorn.http.errors import NoMoreData

PATIENCE = 30.0
"""Seconds that a request may be silent altogether."""

SLOWEST = 1024.0
"""Bytes a second on top of that, which is what the slowest of lines can do."""


class PatientSocket(socket.socket):
    """A socket whose ``recv`` raises NoMoreData, as at the end of a connection that broke off,
    when a request comes too slowly."""

    _waited = 0.0
    _received = 0

    def expect_request(self) -> None:
        """What is read from here on is another request."""
        self._waited, self._received = 0.0, 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        left = PATIENCE + self._received / SLOWEST - self._waited
        if left <= 0:
            raise NoMoreData()
        before = self.gettimeout()
        begun = time.monotonic()
        self.settimeout(left if before is None else min(before, left))
        try:
            received = super().recv(size, flags)
        except TimeoutError:
            if before is None:
                raise NoMoreData() from None
            raise
        finally:
            self._waited += time.monotonic() - begun
            self.settimeout(before)
        self._received += len(received)
        return received
