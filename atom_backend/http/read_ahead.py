"""Reading a request's body ahead of its use, so that a client may send all before it reads.

An answer that is streamed while the request still comes in can stop both sides for ever: the
client sends and does not read, the server's answers fill the socket, the server stops reading.
Invariant: what the client sends is taken from the connection at once, up to ``MOST`` bytes ahead.
It waits in memory up to ``IN_MEMORY`` bytes, beyond that in a file without a name.
"""

from __future__ import annotations

import threading
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Protocol, Self

from atom_backend.errors import AtomError, MalformedRequest

IN_MEMORY = 4 * 1024 * 1024
MOST = 256 * 1024 * 1024
BLOCK = 8 * 1024
"""Bytes to read at once. Servers wait until they have them all, so fewer means earlier answers."""


class ByteStream(Protocol):
    """What is read from; raises an AtomError where the connection breaks off."""

    def read(self, size: int, /) -> bytes: ...


class ReadAhead:
    """A stream over another one, which a thread of its own empties while this is open."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._waiting = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (see __exit__)
        self._used = self._taken = 0
        self._ended = self._closed = False
        self._failure: AtomError | None = None
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self._take, name="read-ahead", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._news:
            self._closed = True
            self._waiting.close()
            self._news.notify()

    def read(self) -> bytes:
        """What has come in since the last call, waiting for the first of it; nothing at the end.

        Raises what the stream raised, once everything before has been read.
        """
        with self._news:
            self._news.wait_for(lambda: self._taken > self._used or self._ended)
            if self._taken == self._used and self._failure is not None:
                raise self._failure
            self._waiting.seek(self._used)
            block = self._waiting.read(min(self._taken - self._used, BLOCK))
            self._used += len(block)
            if self._used == self._taken:
                self._start_over()
            return block

    def _take(self) -> None:
        failure: AtomError | None = MalformedRequest("The connection broke off.")
        try:
            while block := self._stream.read(BLOCK):
                if not self._keep(block):
                    return
            failure = None
        except AtomError as error:
            failure = error
        except ValueError:
            pass  # The server closed the connection's file under our hands.
        finally:
            with self._news:
                self._failure, self._ended = failure, True
                self._news.notify()

    def _keep(self, block: bytes) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._taken < MOST or self._closed)
            if self._closed:
                return False
            self._waiting.seek(self._taken)
            self._waiting.write(block)
            self._taken += len(block)
            self._news.notify()
            return True

    def _start_over(self) -> None:
        """Everything was used: its room is free again."""
        self._waiting.seek(0)
        self._waiting.truncate()
        self._used = self._taken = 0
        self._news.notify()
