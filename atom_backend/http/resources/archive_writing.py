"""An archive as JSON lines, made while they are sent.

Invariant: an archive that was cut off has no ``end`` line, and one that failed midway ends with a
``problem`` line instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from atom_backend.clock import SystemClock
from atom_backend.domain.accounts import User
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.http.resources.archive_shapes import (
    FORMAT,
    WRITTEN,
    AccountLine,
    EndLine,
    HeaderLine,
)


def archive_lines(everything: Iterable[User | tuple[Resource, Record]]) -> Iterator[bytes]:
    """The lines of what ``Exporting.everything`` gives."""
    counts: Counter[str] = Counter({str(resource.one): 0 for resource in RESOURCES})
    for one in everything:
        if isinstance(one, User):
            # The snapshot was taken just now, with the first query.
            yield _line(HeaderLine(format=FORMAT, exported_at=SystemClock().now()))
            yield _line(_account(one))
            continue
        resource, record = one
        counts[str(resource.one)] += 1
        yield _line(_record(resource, record))
    yield _line(EndLine(counts=dict(counts)))


def _account(user: User) -> AccountLine:
    return AccountLine(
        id=user.id,
        email=user.email,
        display_name=user.display_name,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def _record(resource: Resource, record: Record) -> BaseModel:
    return WRITTEN[resource.name](
        id=record.id,
        revision=record.revision,
        created_at=record.created_at,
        updated_at=record.updated_at,
        values=dict(resource.shows(record.values)),
    )


def _line(line: BaseModel) -> bytes:
    return line.model_dump_json().encode() + b"\n"
