"""Where a page of records ends, as a cursor says it.

Invariant: a cursor continues the order that it was given for, and no other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from atom_backend.domain.resources.fields import Moment, Text
from atom_backend.domain.resources.resource import Record, Resource
from atom_backend.errors import MalformedRequest
from atom_backend.http import cursors


def write_place(sort: str, record: Record) -> str:
    """The cursor of the page that begins after this record."""
    value = record.values.get(sort.removeprefix("-"))
    if isinstance(value, datetime):
        value = value.isoformat()
    return cursors.after_sorted(sort, value, record.id)


def read_place(resource: Resource, sort: str, cursor: str) -> tuple[Any, UUID]:
    """The sort value and the identifier. Raises MalformedRequest (code ``invalid_cursor``)."""
    value, item_id = cursors.read_sorted(cursor, sort)
    name = sort.removeprefix("-")
    if value is None or name == "created_at":
        return None, item_id
    kind = resource.field(name).type
    if isinstance(kind, Moment) and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return moment, item_id
    elif isinstance(value, str) == isinstance(kind, Text) and not isinstance(kind, Moment):
        return value, item_id
    raise MalformedRequest("This cursor belongs to another list.", code="invalid_cursor")
