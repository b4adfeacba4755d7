"""Reading: the two search legs, texts and chunks.

Every filter is applied before ranking and begins with the owner. Invariants: no row of another
owner is read into an answer, even where a damaged index takes it for one of the owner's; a chunk is
given once even where it is stored twice (a worker that woke up late wrote it again); equal scores
are ordered by chunk identifier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from lancedb.query import MatchQuery

from atom_backend.domain.items import Chunk, Kind, Vector
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import Hit, Leg, LegHits
from atom_backend.errors import StoredDataError, VectorStoreCorrupt
from atom_backend.vectors import filters
from atom_backend.vectors.approximate import PROBES, REFINE, ApproximateSearch
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.filters import Filter
from atom_backend.vectors.schema import checked, passage

_HIT_COLUMNS = [
    *("chunk_id", "document_id", "kind", "revision", "ordinal", "start", "end", "title", "content")
]
_CHUNK_COLUMNS = [
    *("owner_id", "chunk_id", "revision", "fence", "ordinal", "start", "end", "title", "content")
]
_ORDERING = ("chunk_id", "document_id", "revision")
_match: Any = MatchQuery
_LONGEST_QUERY = 10_000
"""Characters of a query that are looked for; one of that size takes a tenth of a second."""


class Reading:
    """The reads of an open store; stateless but for what ``ApproximateSearch`` remembers."""

    def __init__(self) -> None:
        self._approximate = ApproximateSearch()

    async def search(
        self,
        tables: Tables,
        scope: OwnerScope,
        *,
        vector: Vector | None,
        text: str | None,
        depth: int,
        kinds: frozenset[Kind],
        item_ids: Sequence[UUID] | None,
    ) -> tuple[LegHits, ...]:
        """As ``VectorSearch.search``. Raises RefusedVector for a vector that cannot be compared."""
        where = filters.visible(scope, kinds, item_ids)
        legs: list[Coroutine[Any, Any, LegHits]] = []
        if vector is not None:
            query = checked(np.asarray(vector, np.float32)[np.newaxis], tables.layout.dimension)[0]
            owner = filters.visible(scope)
            whole = item_ids is None and await self._approximate.suits(tables.chunks, owner)
            vector_leg = _vector_leg(tables.chunks, query, scope, where, depth, approximate=whole)
            legs.append(vector_leg)
        if text is not None:
            legs.append(_text_leg(tables.chunks, text, scope, where, depth))
        return tuple(await asyncio.gather(*legs))

    async def chunks(
        self, tables: Tables, scope: OwnerScope, item_id: UUID
    ) -> tuple[int, list[Chunk]] | None:
        """As ``VectorSearch.chunks``.

        One call adds all chunks of an item, so the rows of the highest revision and fence are
        always a whole. An item without text has no chunk; its processed row then speaks for it.
        """
        where = filters.visible(scope, item_ids=[item_id])
        found = await tables.chunks.query().where(where).select(_CHUNK_COLUMNS).to_arrow()
        if rows := own(found, scope).to_pylist():
            newest = max((row["revision"], row["fence"]) for row in rows)
            whole = [row for row in rows if (row["revision"], row["fence"]) == newest]
            distinct = {row["ordinal"]: row for row in whole}
            return newest[0], [_chunk(distinct[ordinal]) for ordinal in sorted(distinct)]
        marks = await tables.processed.query().where(where).select(["revision"]).to_list()
        return (max(mark["revision"] for mark in marks), []) if marks else None

    async def holding(self, tables: Tables, item_ids: Collection[UUID]) -> set[UUID]:
        """As ``VectorStore.holding``."""
        held: set[UUID] = set()
        for batch in filters.batches(item_ids):
            for table in (tables.processed, tables.chunks):
                query = table.query().where(filters.items(batch)).select(["document_id"])
                column = (await query.to_arrow())["document_id"]
                held.update(UUID(bytes=value) for value in column.unique().to_pylist())
        return held


async def _vector_leg(
    chunks: Any, vector: Vector, scope: OwnerScope, where: Filter, depth: int, *, approximate: bool
) -> LegHits:
    query = chunks.query().nearest_to(vector).distance_type("cosine").where(where)
    query = query.select([*_HIT_COLUMNS, "owner_id", "_distance"]).limit(depth)
    if approximate:
        found = await query.nprobes(PROBES).refine_factor(REFINE).to_arrow()
        if found.num_rows == depth:
            return _leg(Leg.VECTOR, own(found, scope), cosines(found), depth)
    found = await query.bypass_vector_index().to_arrow()
    return _leg(Leg.VECTOR, own(found, scope), cosines(found), depth)


async def _text_leg(
    chunks: Any, text: str, scope: OwnerScope, where: Filter, depth: int
) -> LegHits:
    words = text[:_LONGEST_QUERY].encode("utf-8", "replace").decode()
    query = chunks.query().nearest_to_text(_match(words, "content")).where(where)
    found = await query.select([*_HIT_COLUMNS, "owner_id", "_score"]).limit(depth).to_arrow()
    return _leg(Leg.TEXT, own(found, scope), _numbers(found, "_score"), depth)


def own(found: Any, scope: OwnerScope) -> Any:
    """The same rows. Raises VectorStoreCorrupt unless all of them are the owner's."""
    if not set(found["owner_id"].to_pylist()) <= {scope.owner_id.bytes}:
        raise VectorStoreCorrupt("An index of LanceDB takes rows for those of another owner.")
    return found


def cosines(found: Any) -> Any:
    """LanceDB's cosine distance is one minus the similarity; rounding may leave the range."""
    return np.clip(1.0 - _numbers(found, "_distance"), -1.0, 1.0)


def _numbers(found: Any, column: str) -> Any:
    return found[column].to_numpy().astype(np.float64)


def _leg(leg: Leg, found: Any, scores: Any, depth: int) -> LegHits:
    """Raises StoredDataError for a hit of an unknown kind, wherever it stands.

    ``exhausted`` counts rows, not hits: a duplicate took a place that a further match lost.
    """
    chunks, items, revisions = (found[name].to_pylist() for name in _ORDERING)
    kinds = [kind_named(name) for name in found["kind"].to_pylist()]
    strengths = scores.tolist()
    first: dict[bytes, int] = {}
    for row in sorted(range(len(chunks)), key=lambda row: (-strengths[row], chunks[row])):
        first.setdefault(chunks[row], row)
    rows = list(first.values())
    return LegHits(
        leg,
        items=[items[row] for row in rows],
        chunks=list(first),
        kinds=[kinds[row] for row in rows],
        revisions=[revisions[row] for row in rows],
        scores=[strengths[row] for row in rows],
        exhausted=found.num_rows < depth,
        hit=lambda place: _hit(found, rows[place], strengths[rows[place]]),
    )


def _hit(found: Any, row: int, score: float) -> Hit:
    value = {name: found[name][row].as_py() for name in _HIT_COLUMNS}
    return Hit(
        chunk_id=UUID(bytes=value["chunk_id"]),
        item_id=UUID(bytes=value["document_id"]),
        kind=kind_named(value["kind"]),
        revision=value["revision"],
        ordinal=value["ordinal"],
        start=value["start"],
        end=value["end"],
        score=score,
        title=value["title"],
        text=passage(value["title"], value["content"]),
    )


def kind_named(name: str) -> Kind:
    """Raises StoredDataError where there is no such kind."""
    try:
        return Kind(name)
    except ValueError:
        raise StoredDataError(f"LanceDB holds rows of an unknown kind: {name}.") from None


def _chunk(row: dict[str, Any]) -> Chunk:
    return Chunk(
        chunk_id=UUID(bytes=row["chunk_id"]),
        ordinal=row["ordinal"],
        start=row["start"],
        end=row["end"],
        text=passage(row["title"], row["content"]),
    )
