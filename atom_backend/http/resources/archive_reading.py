"""Reading an archive that somebody sends: checked line by line before anything is stored.

The lines wait in a file without a name until they are stored, because what a record names may come
after it. Invariant: memory holds identifiers and one line, however long the archive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from atom_backend.domain.resources.archives import Archive, Archived, Entry
from atom_backend.domain.resources.fields import Reference
from atom_backend.domain.resources.resource import Resource
from atom_backend.errors import FieldProblem, InvalidInput, MalformedRequest, TooLarge
from atom_backend.http import strict_json
from atom_backend.http.lines import Line
from atom_backend.http.resources.archive_shapes import (
    FORMAT,
    READ,
    AccountLine,
    ArchiveLine,
    EndLine,
    HeaderLine,
)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """The entry of a record whose line waits in a file."""

    line: int
    id: UUID
    resource: Resource
    references: frozenset[UUID]
    _read: Callable[[], bytes]

    def read(self) -> Archived:
        _, model = READ[str(self.resource.one)]
        return _archived(model.model_validate_json(self._read(), strict=True))


@contextmanager
def archive_of(lines: Iterable[Line[ArchiveLine]]) -> Iterator[Archive]:
    """The archive of these lines; its entries can be read while the context lasts.

    Raises InvalidInput (``incomplete_export`` where the end is missing or counts something else),
    MalformedRequest or TooLarge, each with the number of the line.
    """
    with TemporaryFile() as file:
        reader = _Reader(file)
        for line in lines:
            with _told_of(line.number):
                reader.take(line)
        yield reader.archive()


class _Reader:
    """Takes the lines in their order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._account: AccountLine | None = None
        self._begun = False
        self._end: EndLine | None = None
        self._entries: list[Entry] = []
        self._known: set[UUID] = set()

    def take(self, line: Line[ArchiveLine]) -> None:
        if self._end is not None:
            raise _wrong("", "Nothing may follow the line that ends an archive.")
        if line.raw is None:
            raise TooLarge("This line is longer than the service accepts.")
        told = line.read().type
        if not self._begun:
            self._begin(told, line.raw)
        elif self._account is None:
            self._account = _read(AccountLine, told, line.raw)
        elif told == "end":
            self._end = strict_json.read(EndLine, line.raw)
        elif told in READ:
            self._add(line.number, line.raw, *READ[told])
        else:
            raise _wrong("/type", "There is no such type of line.")

    def archive(self) -> Archive:
        counts = Counter(str(entry.resource.one) for entry in self._entries)
        if self._account is None or self._end is None:
            raise _incomplete("The archive is cut off: the line that ends it is missing.")
        if Counter(self._end.counts) != counts:
            raise _incomplete("The archive is not whole: its end counts other records.")
        return Archive(self._account.display_name, tuple(self._entries))

    def _begin(self, told: str, raw: bytes) -> None:
        header = _read(HeaderLine, told, raw)
        if header.format != FORMAT:
            raise _wrong("/format", f"This service reads format {FORMAT}.")
        self._begun = True

    def _add(self, number: int, raw: bytes, resource: Resource, model: type[BaseModel]) -> None:
        archived = _archived(strict_json.read(model, raw))
        if archived.id in self._known:
            raise _wrong("/id", "This identifier stands on another line, too.")
        self._known.add(archived.id)
        named = (
            archived.values[one.name]
            for one in resource.fields
            if one.given and isinstance(one.type, Reference)
        )
        references = frozenset(one for one in named if one is not None)
        self._entries.append(
            StoredEntry(number, archived.id, resource, references, self._keep(raw))
        )

    def _keep(self, raw: bytes) -> Callable[[], bytes]:
        place, size = self._file.tell(), self._file.write(raw)

        def read() -> bytes:
            self._file.seek(place)
            return self._file.read(size)

        return read


def _read(model: type[Model], told: str, raw: bytes) -> Model:
    if told != model.model_fields["type"].default:
        raise _wrong("/type", f"Here must stand the line '{model.model_fields['type'].default}'.")
    return strict_json.read(model, raw)


def _archived(line: Any) -> Archived:
    return Archived(
        line.id, line.revision, line.created_at, line.updated_at, line.values.model_dump()
    )


def _wrong(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(problems=[FieldProblem(pointer, detail)])


def _incomplete(message: str) -> InvalidInput:
    return InvalidInput(message, code="incomplete_export")


@contextmanager
def _told_of(number: int) -> Iterator[None]:
    """Errors say in which line they are."""
    try:
        yield
    except InvalidInput as error:
        problems = [FieldProblem(f"/{number}{one.pointer}", one.detail) for one in error.problems]
        message = f"Line {number}: {error.message}"
        raise InvalidInput(message, code=error.code, problems=problems) from None
    except (MalformedRequest, TooLarge) as error:
        raise type(error)(f"Line {number}: {error.message}", code=error.code) from None
