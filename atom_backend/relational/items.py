"""One owner's items of every kind: found, counted, and shown as they are (role ``atom_app``).

Invariant: as in ``records``: row-level security decides whose rows are seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.facets import Counts, Facet, FacetCounts, FacetValue
from atom_backend.domain.items import Kind
from atom_backend.domain.owner_work import TextMatch
from atom_backend.domain.resources.registry import SEARCHABLE
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import SearchFilter
from atom_backend.errors import NotFound
from atom_backend.relational.item_queries import counted, found
from atom_backend.relational.record_columns import as_record
from atom_backend.relational.record_queries import by_ids
from atom_backend.relational.tables import items


class PostgresItems:
    """The items of the transaction's owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, item_id: UUID) -> Record:
        kind = self._connection.scalar(sa.select(items.c.kind).where(items.c.id == item_id))
        known = {} if kind is None else self._known(Kind(kind), [item_id])
        if item_id not in known:
            raise NotFound("There is no item with this identifier.")
        return known[item_id]

    def matching(self, conditions: SearchFilter, *, limit: int) -> list[UUID]:
        hits = found(conditions, limit=limit)
        return list(self._connection.scalars(sa.select(hits.c.id)))

    def enrich(
        self, named: Mapping[Kind, Sequence[UUID]], conditions: SearchFilter
    ) -> Mapping[UUID, Record]:
        # Most searches have no filter; finding nothing out costs a third of finding out.
        if not conditions.empty:
            among = [item_id for item_ids in named.values() for item_id in item_ids]
            hits = found(conditions, limit=len(among), among=among)
            good = set(self._connection.scalars(sa.select(hits.c.id)))
            named = {kind: [one for one in ids if one in good] for kind, ids in named.items()}
        known: dict[UUID, Record] = {}
        for kind, item_ids in named.items():
            known.update(self._known(kind, item_ids) if item_ids else {})
        return known

    def search(
        self,
        query: str,
        kinds: frozenset[Kind],
        conditions: SearchFilter,
        *,
        limit: int,
        offset: int,
    ) -> list[TextMatch]:
        hits = found(conditions, question=query, kinds=kinds, limit=limit, offset=offset)
        rows = self._connection.execute(
            sa.select(items.c.id, items.c.kind, items.c.text, hits.c.score)
            .join(hits, hits.c.id == items.c.id)
            .order_by(hits.c.score.desc(), items.c.id.desc())
        )
        return [TextMatch(row.id, Kind(row.kind), row.text, row.score) for row in rows]

    def count(
        self, facets: Collection[Facet], kinds: frozenset[Kind], conditions: SearchFilter
    ) -> Counts:
        found: dict[Facet, FacetCounts] = dict.fromkeys(facets, FacetCounts())
        rows = self._connection.execute(sa.select(counted(facets, kinds, conditions))).all()
        for facet, group in groupby(rows, key=attrgetter("facet")):
            several = list(group)
            values = tuple(FacetValue(row.value, row.number) for row in several)
            found[Facet(facet)] = FacetCounts(values, several[0].further)
        return found

    def _known(self, kind: Kind, item_ids: Sequence[UUID]) -> Mapping[UUID, Record]:
        resource = SEARCHABLE[kind]
        rows = self._connection.execute(by_ids(resource), {"ids": list(item_ids)})
        return {row.id: as_record(resource, row) for row in rows}
