"""How the records of a resource are read: their columns, their conditions, their order.

Invariant: a value only ever travels as a bound parameter, and a column is only ever named by a
declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Row

from atom_backend.domain.index_state import EntryState, as_seen_by_users
from atom_backend.domain.resources.fields import Field
from atom_backend.domain.resources.listing import (
    INDEX_STATE,
    NOW,
    Condition,
    Listing,
    Match,
    NotAll,
)
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.relational.index_columns import ENTRY_STATE, INDEX_COLUMNS, entry_states
from atom_backend.relational.resource_tables import ROOTS, TABLES
from atom_backend.relational.stored_values import loaded
from atom_backend.relational.tables import index_entries, items

_LABEL = "f_"
_BASE = 5
"""Columns of every record that are no fields."""
_INDEXED = (items.c.title, items.c.content_revision, items.c.content_hash, *INDEX_COLUMNS)
_ALL = _BASE + len(_INDEXED)
"""The same of a searchable one."""


def column(resource: Resource, name: str) -> sa.Column[Any]:
    """Where a field is kept."""
    own = TABLES[resource.name]
    return own.c[name] if name in own.c else ROOTS[resource.name].c[name]


@cache
def every(resource: Resource, *, whole: bool = False, brief: bool = False) -> sa.Select[Any]:
    """The records that the transaction's role may see; made once for each resource.

    ``whole``: with the fields that stand apart; ``brief``: without the long ones.
    """
    root, own = ROOTS[resource.name], TABLES[resource.name]
    base = (root.c.id, root.c.owner_id, root.c.revision, root.c.created_at, root.c.updated_at)
    fields = (
        column(resource, one.name).label(_LABEL + one.name)
        for one in _in_order(resource)
        if whole or not (one.apart or (brief and one.long))
    )
    if not resource.searchable:
        return sa.select(*base, *fields)
    joined = items.join(own, own.c.id == items.c.id).outerjoin(
        index_entries, index_entries.c.item_id == items.c.id
    )
    # The kind leads to the newest of one kind, past what the owner has of the others. It is said as
    # a range, so that ordering by it has a meaning to PostgreSQL: see ``listed``.
    return (
        sa.select(*base, *_INDEXED, *fields)
        .select_from(joined)
        .where(items.c.kind.between(resource.kind.value, resource.kind.value))
    )


@cache
def by_id(resource: Resource, *, whole: bool = False, locked: bool = False) -> sa.Select[Any]:
    """The record that the parameter ``id`` names. Made once: making a query takes as long as
    PostgreSQL takes to answer it.
    """
    root = ROOTS[resource.name]
    query = every(resource, whole=whole).where(root.c.id == sa.bindparam("id", type_=sa.Uuid))
    return query.with_for_update(of=root) if locked else query


@cache
def by_ids(resource: Resource) -> sa.Select[Any]:
    """Those that the parameter ``ids`` names, briefly; made once, as ``by_id`` is."""
    among = sa.bindparam("ids", type_=ARRAY(sa.Uuid))
    return every(resource, brief=True).where(ROOTS[resource.name].c.id == sa.any_(among))


def listed(resource: Resource, listing: Listing) -> sa.Select[Any]:
    """One page in its order; records without a value to sort by come last."""
    root = ROOTS[resource.name]
    query = every(resource, brief=True).limit(listing.limit)
    for condition in listing.conditions:
        query = query.where(_holds(resource, condition))
    # UUIDv7 begins with the time, so the order of creation needs no column of its own.
    by = None if listing.sort == "created_at" else column(resource, listing.sort)
    ordered: Callable[[Any], Any] = sa.desc if listing.descending else sa.asc
    if by is not None:
        query = query.order_by(ordered(by).nulls_last())
    elif resource.searchable:
        # Or the primary key could give the order, past the rows of everybody else.
        query = query.order_by(ordered(items.c.kind))
    query = query.order_by(ordered(root.c.id))
    return query if listing.after is None else query.where(_beyond(root.c.id, by, listing))


def as_record(resource: Resource, row: Row[Any]) -> Record:
    """The record of a row that ``every`` gave, whole or brief."""
    item_id, owner_id, revision, created_at, updated_at = row[:_BASE]
    if not resource.searchable:
        values = _values(resource, row[_BASE:])
        return Record(item_id, owner_id, revision, values, created_at, updated_at)
    title, content_revision, hashed, state, reason, chunk_count = row[_BASE:_ALL]
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
    # A row that is not whole ends before the fields that it lacks.
    return {
        one.name: loaded(one.type, value)
        for one, value in zip(_in_order(resource), columns, strict=False)
    }


@cache
def _in_order(resource: Resource) -> tuple[Field, ...]:
    """The fields as they are read: the long ones after the others, and last those apart."""
    return tuple(sorted(resource.fields, key=lambda one: (one.apart, one.long)))


def _beyond(
    key: sa.Column[Any], by: sa.Column[Any] | None, listing: Listing
) -> sa.ColumnElement[bool]:
    """What comes after the last record of the page before."""
    assert listing.after is not None
    value, item_id = listing.after
    further = key < item_id if listing.descending else key > item_id
    if by is None:
        return further
    if value is None:
        return sa.and_(by.is_(None), further)
    beyond = by < value if listing.descending else by > value
    return sa.or_(beyond, sa.and_(by == value, further), by.is_(None))


def _holds(resource: Resource, condition: Condition | NotAll) -> sa.ColumnElement[bool]:
    if isinstance(condition, NotAll):
        every_one = sa.and_(*(_holds(resource, one) for one in condition.conditions))
        return sa.func.coalesce(every_one, False).is_(False)
    if condition.field == INDEX_STATE:
        return ENTRY_STATE.in_(entry_states(condition.value))
    value = sa.func.now() if condition.value is NOW else condition.value
    if condition.test is Match.WORDS:
        return items.c.search.op("@@")(sa.func.plainto_tsquery("simple", value))
    if condition.test is Match.UNDERWAY:
        return items.c.id == sa.any_(_underway(value))
    return _TESTS[condition.test](column(resource, condition.field), value)


def _underway(moment: Any) -> sa.ColumnElement[Any]:
    """Of much that began before, and much that is over later, PostgreSQL cannot tell that little
    is both: so that little is named first, by the index of both.
    """
    other = items.alias()
    found = sa.select(other.c.id).where(other.c.happens_at < moment, other.c.over_at > moment)
    return sa.func.array(found.scalar_subquery(), type_=ARRAY(sa.Uuid))


_TESTS: Mapping[Match, Callable[[sa.Column[Any], Any], sa.ColumnElement[bool]]] = {
    Match.EQUAL: lambda tested, value: tested == value,
    Match.FROM: lambda tested, value: tested >= value,
    Match.UNTIL: lambda tested, value: tested < value,
    Match.HOLDS: lambda tested, value: tested.contains([value]),
    Match.NONE_OF: lambda tested, value: tested.not_in(value),
    Match.EMPTY: lambda tested, value: tested.is_(None),
}
