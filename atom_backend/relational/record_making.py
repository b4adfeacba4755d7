"""How a record is made: all of its rows by one statement, which gives it back as it now stands.

Invariant (I1): of a searchable record, the index entry that announces it is one of these rows, so
that there is no record of which the index does not hear.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from atom_backend.domain.resources.resource import Resource
from atom_backend.relational.index_columns import NEW_ENTRY
from atom_backend.relational.owner_index import announcement
from atom_backend.relational.prepared import PREPARED
from atom_backend.relational.record_columns import selected
from atom_backend.relational.resource_tables import ROOTS, TABLES

Making = Callable[[Resource, frozenset[str], frozenset[str]], sa.Executable]
"""A statement that makes records of a resource with these columns in its root and own table."""

OWN = "own_"
"""Before the names of parameters for the resource's own table, which may have the root's names."""


@cache
def making(resource: Resource, common: frozenset[str], beside: frozenset[str]) -> sa.Executable:
    """A new record with these columns in its root table, and those in its own beside it, if it has
    one; announced to the index, if it is searchable. Gives the record's columns.

    No row comes back for a name that is taken, and none is made.
    """
    root, own = ROOTS[resource.name], TABLES[resource.name]
    added = _added(root, common)
    if not resource.searchable:
        return added.returning(*selected(resource, root, own, ())).execution_options(**PREPARED)
    made = added.returning(*(one for one in root.c if one.computed is None)).cte("made")
    part = _part(own, made, beside).returning(*own.c).cte("part")
    told = announcement(made).cte("told")
    return (
        sa.select(*selected(resource, made, part, NEW_ENTRY))
        .select_from(made.join(part, part.c.id == made.c.id).join(told, sa.true()))
        .execution_options(**PREPARED)
    )


@cache
def restoring(resource: Resource, common: frozenset[str], beside: frozenset[str]) -> sa.Executable:
    """The same rows but for the entry; gives the identifier."""
    root, own = ROOTS[resource.name], TABLES[resource.name]
    added = _added(root, common)
    if not resource.searchable:
        return added.returning(root.c.id)
    made = added.returning(root.c.id, root.c.owner_id).cte("made")
    return _part(own, made, beside).returning(own.c.id)


def _added(root: sa.Table, columns: frozenset[str]) -> Insert:
    given = {name: sa.bindparam(name, type_=root.c[name].type) for name in columns}
    return insert(root).values(given).on_conflict_do_nothing()


def _part(own: sa.Table, made: sa.CTE, columns: frozenset[str]) -> Insert:
    """The row in the resource's own table, where there is one in the root's."""
    names = sorted(columns)
    values: Any = (sa.bindparam(OWN + name, type_=own.c[name].type) for name in names)
    row = sa.select(made.c.id, made.c.owner_id, *values)
    return insert(own).from_select(["id", "owner_id", *names], row)
