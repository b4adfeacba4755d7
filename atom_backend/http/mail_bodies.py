"""Mails as request bodies: one mail or an mbox as it stands, or files of a multipart form.

Invariant: an mbox that is the body itself is read from the connection, one mail at a time, and may
be of any size; the files of a form are limited like every upload.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, BinaryIO, ClassVar, Self, cast

from flask import Request
from pydantic import BaseModel, Field, RootModel, WithJsonSchema

from atom_backend.http.body_stream import BodyStream
from atom_backend.http.forms import FormBody, UploadedFile
from atom_backend.http.read_ahead import ByteStream, ReadAhead

MBOX = "application/mbox"
_MOST_FILES = 100
_MBOX_SUFFIXES = {".mbox", ".mbx"}


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file to split into mails; ``mbox_file`` is None where its content shall decide."""

    name: str | None
    stream: BinaryIO
    mbox_file: bool | None


class _Bytes(RootModel[Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]]):
    """A mail (RFC 5322) or an mbox."""


class MailStream:
    """A mail or an mbox that is the body itself."""

    media_types: ClassVar[tuple[str, ...]] = ("message/rfc822", MBOX)
    large: ClassVar[bool] = True

    def __init__(self, stream: ByteStream, *, mbox_file: bool | None) -> None:
        self._stream = stream
        self._mbox_file = mbox_file

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        is_mbox = True if request.mimetype == MBOX else None
        return cls(BodyStream(request, None), mbox_file=is_mbox)

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        return _Bytes

    @contextmanager
    def files(self) -> Iterator[list[MailFile]]:
        """Open while its stream is read."""
        with ReadAhead(self._stream) as ahead:
            buffered = io.BufferedReader(_Raw(ahead))
            yield [MailFile(None, cast("BinaryIO", buffered), self._mbox_file)]


class MailUpload(FormBody):
    """Files, each a mail or an mbox."""

    file: tuple[UploadedFile, ...] = Field(min_length=1, max_length=_MOST_FILES)

    @contextmanager
    def files(self) -> Iterator[list[MailFile]]:
        """One after the other."""
        yield [
            MailFile(one.name, io.BytesIO(one.content), True if _is_mbox(one.name) else None)
            for one in self.file
        ]


class _Raw(io.RawIOBase):
    """What was read ahead, as a file."""

    def __init__(self, ahead: ReadAhead) -> None:
        self._ahead = ahead
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        room = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = memoryview(self._ahead.read())
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _is_mbox(name: str | None) -> bool:
    return PurePosixPath(name or "").suffix.lower() in _MBOX_SUFFIXES
