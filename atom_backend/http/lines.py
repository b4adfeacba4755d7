"""Newline-delimited JSON, in and out, one line at a time.

Invariant: memory is bounded, however long the stream; a line that is too long is
skipped whole and reported under its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from flask import Request
from pydantic import BaseModel

from atom_backend.errors import TooLarge
from atom_backend.http import strict_json
from atom_backend.http.body_stream import BodyStream
from atom_backend.http.read_ahead import ByteStream, ReadAhead

Model = TypeVar("Model", bound=BaseModel)
NDJSON = "application/x-ndjson"


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

    ``longest`` is the limit of a line in bytes; the whole has none.
    """

    media_types: ClassVar[tuple[str, ...]] = (NDJSON, "application/jsonl")
    large: ClassVar[bool] = True
    line_model: type[Model]

    def __init__(self, stream: ByteStream, longest: int) -> None:
        self._stream = stream
        self._longest = longest

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        return cls(BodyStream(request, None), limit)

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
        with ReadAhead(self._stream) as ahead:
            while block := ahead.read():
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
