"""How items of every kind are found and counted.

Invariant: every condition of a ``SearchFilter`` is decided by ``atom_chosen_items`` in the
database (migrations 0014 and 0017) and nowhere else; a value only ever travels as a bound
parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from atom_backend.domain.facets import MOST_VALUES, Facet
from atom_backend.domain.items import Kind
from atom_backend.domain.search import SearchFilter


def found(
    conditions: SearchFilter,
    *,
    limit: int,
    offset: int = 0,
    question: str | None = None,
    kinds: Collection[Kind] = (),
    among: Sequence[UUID] | None = None,
) -> sa.TableValuedAlias:
    """Identifiers and scores, best first, of the owner's items that satisfy everything."""
    among_list = None if among is None else list(among)
    return sa.func.atom_find_items(
        sa.literal(question, sa.Text),
        *_chosen(kinds, conditions),
        sa.literal(among_list, ARRAY(sa.Uuid)),
        limit,
        offset,
    ).table_valued(sa.column("id", sa.Uuid), sa.column("score", sa.Float), name="found")


def counted(
    facets: Collection[Facet], kinds: Collection[Kind], conditions: SearchFilter
) -> sa.TableValuedAlias:
    """Rows of facet, value, number of items, and number of values beyond those given, in order."""
    return sa.func.atom_count_items(
        *_chosen(kinds, conditions),
        sa.literal([facet.value for facet in facets], ARRAY(sa.Text)),
        MOST_VALUES,
    ).table_valued("facet", "value", "number", "further", name="counted")


def _chosen(kinds: Collection[Kind], conditions: SearchFilter) -> Iterator[sa.ColumnElement[Any]]:
    """The arguments that say which items satisfy kinds and filter; null where all do."""
    yield sa.literal([kind.value for kind in kinds] or None, ARRAY(sa.Text))
    yield sa.literal(list(conditions.tags) or None, ARRAY(sa.Text))
    yield sa.literal(dict(conditions.metadata), JSONB) if conditions.metadata else sa.null()
    yield sa.literal(conditions.source, sa.Text)
    yield sa.literal(conditions.created_after, sa.DateTime(timezone=True))
    yield sa.literal(conditions.created_before, sa.DateTime(timezone=True))
    yield sa.literal(conditions.happens_after, sa.DateTime(timezone=True))
    yield sa.literal(conditions.happens_before, sa.DateTime(timezone=True))
