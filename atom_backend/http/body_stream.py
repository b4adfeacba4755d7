"""The bytes of a request's body as they arrive.

Invariant: nobody reads past the limit, and a body cut short by a lost connection is never taken
for a whole one. werkzeug's own limit does not hold for bodies without a Content-Length: it cuts
them off silently.
"""

from __future__ import annotations

from flask import Request

from atom_backend.errors import MalformedRequest, TooLarge

_BLOCK = 64 * 1024


class BodyStream:
    """A body to be read once; ``limit`` in bytes, ``None`` for a body of any length."""

    def __init__(self, request: Request, limit: int | None) -> None:
        request.max_content_length = None
        self._stream = request.stream
        self._length = request.content_length
        self._limit = limit
        self._seen = 0
        if limit is not None and self._length is not None and self._length > limit:
            raise TooLarge()

    def read(self, size: int = _BLOCK, /) -> bytes:
        """The next bytes, none at the end. Raises TooLarge or MalformedRequest."""
        try:
            block = self._stream.read(size)
        except OSError:
            raise MalformedRequest("The connection broke off or was too slow.") from None
        self._seen += len(block)
        if self._limit is not None and self._seen > self._limit:
            raise TooLarge()
        if not block and self._length is not None and self._seen < self._length:
            raise MalformedRequest("The body is shorter than its Content-Length.")
        return block

    def read_all(self) -> bytes:
        """Everything. Raises TooLarge or MalformedRequest."""
        whole = bytearray()
        while block := self.read():
            whole += block
        return bytes(whole)
