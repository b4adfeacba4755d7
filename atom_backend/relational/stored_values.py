"""Field values as PostgreSQL keeps them, and back.

Invariant: ``loaded(type, stored(type, value)) == value``, so that a change that changes nothing is
seen to be one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from atom_backend.domain.resources.fields import (
    Amount,
    FieldType,
    Many,
    Moment,
    Reference,
    Structure,
    Tags,
    WallTime,
)


def stored(kind: FieldType, value: Any) -> Any:
    """What is bound to a statement."""
    if value is None:
        return None
    if isinstance(kind, Tags):
        return list(value)
    return _to_json(kind, value) if isinstance(kind, Many | Structure) else value


def loaded(kind: FieldType, value: Any) -> Any:
    """What was read from a column."""
    if value is None:
        return None
    if isinstance(kind, Tags):
        return tuple(value)
    return _from_json(kind, value) if isinstance(kind, Many | Structure) else value


def kept_as_it_is(kind: FieldType) -> bool:
    """Whether what is read from a column is the value."""
    return not isinstance(kind, Tags | Many | Structure)


def _to_json(kind: FieldType | Structure, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Many):
        return [_to_json(kind.of, one) for one in value]
    if isinstance(kind, Structure):
        return {one.name: _to_json(one.type, value[one.name]) for one in kind.fields}
    return _WRITTEN.get(type(kind), _same)(value)


def _from_json(kind: FieldType | Structure, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Many):
        return tuple(_from_json(kind.of, one) for one in value)
    if isinstance(kind, Structure):
        return {one.name: _from_json(one.type, value.get(one.name)) for one in kind.fields}
    return _READ.get(type(kind), _same)(value)


def _same(value: Any) -> Any:
    return value


def _in_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


_Codec = Mapping[type[FieldType], Callable[[Any], Any]]
_WRITTEN: _Codec = {Moment: _in_utc, WallTime: _in_utc, Reference: str, Amount: str}
_READ: _Codec = {
    Moment: datetime.fromisoformat,
    WallTime: datetime.fromisoformat,
    Reference: UUID,
    Amount: Decimal,
}
