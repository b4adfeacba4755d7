"""Where a page of records ends, as a cursor says it.

Invariant: a cursor continues the order that it was given for, and no other.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from atom_backend.domain.resources.fields import Amount, Choice, FieldType, Moment, Text, WallTime
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import MalformedRequest
from atom_backend.http import cursors


def write_place(sort: str, record: Record) -> str:
    """The cursor of the page that begins after this record."""
    value = record.values.get(sort.removeprefix("-"))
    if isinstance(value, datetime):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    return cursors.after_sorted(sort, value, record.id)


def read_place(resource: Resource, sort: str, cursor: str) -> tuple[Any, UUID]:
    """The sort value and the identifier. Raises MalformedRequest (code ``invalid_cursor``)."""
    value, item_id = cursors.read_sorted(cursor, sort)
    name = sort.removeprefix("-")
    if value is None or name == "created_at":
        return None, item_id
    try:
        return _value(resource.field(name).type, value), item_id
    except (ValueError, ArithmeticError):
        raise MalformedRequest(
            "This cursor belongs to another list.", code="invalid_cursor"
        ) from None


def _value(kind: FieldType, value: str | float) -> Any:
    """Raises ValueError or ArithmeticError for what this type cannot be sorted by."""
    if isinstance(value, str) != isinstance(kind, Text | Choice | Moment | WallTime | Amount):
        raise ValueError("of another type")
    if isinstance(kind, Moment | WallTime):
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return moment
    return Decimal(value) if isinstance(kind, Amount) else value
