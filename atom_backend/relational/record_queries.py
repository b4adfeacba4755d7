"""How the records of a resource are read: their columns, their conditions, their order.

Invariant: a value only ever travels as a bound parameter, and a column is only ever named by a
declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from atom_backend.domain.resources.listing import (
    INDEX_STATE,
    NOW,
    Condition,
    Listing,
    Match,
    NotAll,
)
from atom_backend.domain.resources.resource import Resource
from atom_backend.relational.index_columns import ENTRY_STATE, INDEX_COLUMNS, entry_states
from atom_backend.relational.prepared import PREPARED
from atom_backend.relational.record_columns import column, selected
from atom_backend.relational.resource_tables import ROOTS, TABLES
from atom_backend.relational.tables import index_entries, items

_PAGES = 512
"""Pages whose queries are kept: so many limits, sorts and directions of so many resources."""


@cache
def every(resource: Resource, *, whole: bool = False, brief: bool = False) -> sa.Select[Any]:
    """The records that the transaction's role may see; made once for each resource.

    ``whole``: with the fields that stand apart; ``brief``: without the long ones.
    """
    root, own = ROOTS[resource.name], TABLES[resource.name]
    columns = selected(resource, root, own, INDEX_COLUMNS, whole=whole, brief=brief)
    if not resource.searchable:
        return sa.select(*columns)
    joined = items.join(own, own.c.id == items.c.id).outerjoin(
        index_entries, index_entries.c.item_id == items.c.id
    )
    kind: sa.ColumnElement[str] = sa.literal_column(f"'{resource.kind.value}'")
    # The kind leads to the newest of one kind, past what the owner has of the others. It is said as
    # a range, so that ordering by it has a meaning to PostgreSQL: see ``_page``.
    return sa.select(*columns).select_from(joined).where(items.c.kind.between(kind, kind))


@cache
def by_id(resource: Resource, *, whole: bool = False, locked: bool = False) -> sa.Select[Any]:
    """The record that the parameter ``id`` names. Made once: making a query takes as long as
    PostgreSQL takes to answer it.
    """
    root = ROOTS[resource.name]
    query = every(resource, whole=whole).where(root.c.id == sa.bindparam("id", type_=sa.Uuid))
    query = query.execution_options(**PREPARED)
    return query.with_for_update(of=root) if locked else query


@cache
def by_ids(resource: Resource) -> sa.Select[Any]:
    """Those that the parameter ``ids`` names, briefly; made once, as ``by_id`` is."""
    among = sa.bindparam("ids", type_=ARRAY(sa.Uuid))
    named = every(resource, brief=True).where(ROOTS[resource.name].c.id == sa.any_(among))
    return named.execution_options(**PREPARED)


def listed(resource: Resource, listing: Listing) -> sa.Select[Any]:
    """One page in its order; records without a value to sort by come last."""
    query = _page(resource, listing.limit, listing.sort, listing.descending)
    for condition in listing.conditions:
        query = query.where(_holds(resource, condition))
    if listing.after is None:
        return query
    return query.where(
        _beyond(ROOTS[resource.name].c.id, _sorted_by(resource, listing.sort), listing)
    )


@lru_cache(maxsize=_PAGES)
def _page(resource: Resource, limit: int, sort: str, descending: bool) -> sa.Select[Any]:
    """The first page of all there is; made once, as ``by_id`` is."""
    # Said in the text: a plan for any limit would not be the one for a page.
    rows: sa.ColumnElement[int] = sa.literal_column(str(limit))
    query = every(resource, brief=True).limit(rows).execution_options(**PREPARED)
    # UUIDv7 begins with the time, so the order of creation needs no column of its own.
    ordered: Callable[[Any], Any] = sa.desc if descending else sa.asc
    by = _sorted_by(resource, sort)
    if by is not None:
        query = query.order_by(ordered(by).nulls_last())
    elif resource.searchable:
        # Or the primary key could give the order, past the rows of everybody else.
        query = query.order_by(ordered(items.c.kind))
    return query.order_by(ordered(ROOTS[resource.name].c.id))


def _sorted_by(resource: Resource, sort: str) -> sa.Column[Any] | None:
    """The column; none for the order of creation."""
    return None if sort == "created_at" else column(resource, sort)


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
