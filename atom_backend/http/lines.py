"""Newline-delimited JSON, in and out, one line at a time.

Invariant: memory is bounded by one line, however long the stream; a line that is too long is
skipped whole and reported under its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from flask import Request
from pydantic import BaseModel

from atom_backend.errors import MalformedRequest, TooLarge
from atom_backend.http import strict_json

Model = TypeVar("Model", bound=BaseModel)
NDJSON = "application/x-ndjson"
_BLOCK = 64 * 1024


class ByteStream(Protocol):
    """What lines are read from."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Line(Generic[Model]):
    """One line, not parsed yet; ``number`` counts from 1, blank lines included."""

    number: int
    raw: bytes | None
    model: type[Model]

    def read(self) -> Model:
        """Raises MalformedRequest, InvalidInput, or TooLarge."""
        if self.raw is None:
            raise TooLarge("This line is longer than the service accepts.")
        return strict_json.read(self.model, self.raw)


class LinesBody(Generic[Model]):
    """The base of every body of JSON lines; iterating reads it from the connection.

    Iteration raises MalformedRequest when the body ends before its announced length.
    """

    media_types: ClassVar[tuple[str, ...]] = (NDJSON, "application/jsonl")
    large: ClassVar[bool] = True
    line_model: type[Model]

    def __init__(self, stream: ByteStream, longest: int, length: int | None) -> None:
        self._stream = stream
        self._longest = longest
        self._length = length

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        """``limit`` is that of a line: the whole has none."""
        request.max_content_length = None
        return cls(request.stream, limit, request.content_length)

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        return cls.line_model

    def __iter__(self) -> Iterator[Line[Model]]:
        for number, raw in enumerate(self._raw_lines(), start=1):
            if raw is None or raw.strip():
                yield Line(number, raw, self.line_model)

    def _raw_lines(self) -> Iterator[bytes | None]:
        """Every line; ``None`` for one that is too long."""
        rest, overlong = bytearray(), False
        for block in self._blocks():
            *complete, last = block.split(b"\n")
            for part in complete:
                rest += part
                yield None if overlong or len(rest) > self._longest else bytes(rest)
                rest.clear()
                overlong = False
            rest += last
            if len(rest) > self._longest:
                rest.clear()
                overlong = True
        if overlong or rest:
            yield None if overlong else bytes(rest)

    def _blocks(self) -> Iterator[bytes]:
        seen = 0
        while block := self._stream.read(_BLOCK):
            seen += len(block)
            yield block
        if self._length is not None and seen < self._length:
            raise MalformedRequest("The body is shorter than its Content-Length.")
