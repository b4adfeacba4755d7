"""The words between the service and its reading child: length-prefixed frames on two pipes.

A frame is its length as 8 bytes, big-endian, and then so many bytes. A request is two frames (JSON
header, content); an answer is two frames (JSON header, UTF-8 text). ``Pipes`` is the parent's end.
Invariant: no call on ``Pipes`` lasts beyond its deadline, and no frame is longer than is allowed.
"""

from __future__ import annotations

import os
import select
import struct
import time
from typing import BinaryIO

_LENGTH = struct.Struct(">Q")
_READ_AT_ONCE = 1 << 20


def read_frame(stream: BinaryIO) -> bytes | None:
    """The child's end: the next frame, or None where the parent has hung up."""
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    return stream.read(_LENGTH.unpack(prefix)[0])


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    stream.write(_LENGTH.pack(len(payload)))
    stream.write(payload)
    stream.flush()


class Pipes:
    """The parent's end of the two pipes; ``deadline`` is always a reading of time.monotonic().

    Raises TimeoutError past the deadline; OSError, EOFError where the child has gone; ValueError
    where it announces a frame that is too long.
    """

    def __init__(self, to_child: int, from_child: int) -> None:
        os.set_blocking(to_child, False)
        os.set_blocking(from_child, False)
        self._to_child = to_child
        self._from_child = from_child

    def send(self, payload: bytes, deadline: float) -> None:
        for part in (_LENGTH.pack(len(payload)), payload):
            rest = memoryview(part)
            while rest:
                _wait(self._to_child, select.POLLOUT, deadline)
                rest = rest[os.write(self._to_child, rest) :]

    def receive(self, max_bytes: int, deadline: float) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, deadline))
        if length > max_bytes:
            raise ValueError(f"a frame of {length} bytes, {max_bytes} at most")
        return self._exactly(length, deadline)

    def _exactly(self, length: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < length:
            _wait(self._from_child, select.POLLIN, deadline)
            part = os.read(self._from_child, min(length - len(received), _READ_AT_ONCE))
            if not part:
                raise EOFError
            received += part
        return bytes(received)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
