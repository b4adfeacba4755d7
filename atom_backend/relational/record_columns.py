"""A record as columns of a query, and back from a row of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from atom_backend.domain.index_state import EntryState, as_seen_by_users
from atom_backend.domain.resources.fields import Field, FieldType
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.relational.resource_tables import ROOTS, TABLES
from atom_backend.relational.stored_values import kept_as_it_is, loaded

_LABEL = "f_"
_BASE = ("id", "owner_id", "revision", "created_at", "updated_at")
"""What every record has that is no field."""
_INDEXED = ("title", "content_revision", "content_hash")
"""What a searchable one has beside that, and three columns of its entry."""
_ALL = len(_BASE) + len(_INDEXED) + 3

_Columns = Sequence[sa.ColumnElement[Any]]


def column(resource: Resource, name: str) -> sa.Column[Any]:
    """Where a field is kept."""
    own = TABLES[resource.name]
    return own.c[name] if name in own.c else ROOTS[resource.name].c[name]


def selected(
    resource: Resource,
    root: sa.FromClause,
    own: sa.FromClause,
    entry: _Columns,
    *,
    whole: bool = False,
    brief: bool = False,
) -> list[sa.ColumnElement[Any]]:
    """The columns that ``as_record`` reads, out of rows of the resource's root and own table.

    ``entry``: of a searchable one, as in ``index_columns``. ``whole``: with the fields that stand
    apart; ``brief``: without the long ones.
    """
    fields = [
        (own.c if one.name in own.c else root.c)[one.name].label(_LABEL + one.name)
        for one in _in_order(resource)
        if whole or not (one.apart or (brief and one.long))
    ]
    common = [root.c[name] for name in _BASE]
    if not resource.searchable:
        return [*common, *fields]
    return [*common, *(root.c[name] for name in _INDEXED), *entry, *fields]


def as_record(resource: Resource, row: Row[Any]) -> Record:
    """The record of a row of ``selected`` columns, whole or brief."""
    item_id, owner_id, revision, created_at, updated_at = row[: len(_BASE)]
    if not resource.searchable:
        values = _values(resource, row[len(_BASE) :])
        return Record(item_id, owner_id, revision, values, created_at, updated_at)
    title, content_revision, hashed, state, reason, chunk_count = row[len(_BASE) : _ALL]
    return Record(
        id=item_id,
        owner_id=owner_id,
        revision=revision,
        values=_values(resource, row[_ALL:]),
        created_at=created_at,
        updated_at=updated_at,
        title=title,
        content_revision=content_revision,
        content_hash=bytes(hashed),
        index_state=as_seen_by_users(EntryState(state)),
        index_reason=reason,
        chunk_count=chunk_count,
    )


def _values(resource: Resource, columns: Sequence[Any]) -> dict[str, Any]:
    names, kept_otherwise = _reading(resource)
    # A row that is not whole ends before the fields that it lacks.
    values = dict(zip(names, columns, strict=False))
    for name, kind in kept_otherwise:
        if name in values:
            values[name] = loaded(kind, values[name])
    return values


@cache
def _reading(resource: Resource) -> tuple[tuple[str, ...], tuple[tuple[str, FieldType], ...]]:
    """The fields' names as they are read, and the types of those that are kept otherwise."""
    fields = _in_order(resource)
    kept_otherwise = ((one.name, one.type) for one in fields if not kept_as_it_is(one.type))
    return tuple(one.name for one in fields), tuple(kept_otherwise)


@cache
def _in_order(resource: Resource) -> tuple[Field, ...]:
    """The fields as they are read: the long ones after the others, and last those apart."""
    return tuple(sorted(resource.fields, key=lambda one: (one.apart, one.long)))
