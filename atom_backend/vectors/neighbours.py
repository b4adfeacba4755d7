"""Which items are near another one, by their document-level embeddings.

Every embedding of the owner is compared, without a vector index: there is one row an item, not one
a chunk, and nothing is missed. Invariants: as in ``reading``; an item of which two revisions are
there for a moment is given once, by the newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from atom_backend.domain.items import Kind, Vector
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.similar import Neighbour, Neighbours
from atom_backend.vectors import filters
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.reading import cosines, kind_named, own
from atom_backend.vectors.schema import checked

_COLUMNS = ["owner_id", "document_id", "kind", "revision", "fence"]


async def embedding(tables: Tables, scope: OwnerScope, item_id: UUID) -> tuple[int, Vector] | None:
    """As ``VectorSearch.embedding``."""
    where = filters.visible(scope, item_ids=[item_id])
    query = tables.processed.query().where(where).select([*_COLUMNS, "embedding"])
    rows = own(await query.to_arrow(), scope).to_pylist()
    if not rows:
        return None
    newest = max(rows, key=_age)
    return newest["revision"], np.asarray(newest["embedding"], np.float32)


async def nearest(
    tables: Tables,
    scope: OwnerScope,
    vector: Vector,
    *,
    depth: int,
    kinds: frozenset[Kind],
    item_ids: Sequence[UUID] | None,
) -> Neighbours:
    """As ``VectorSearch.nearest``. Raises RefusedVector for a vector that cannot be compared."""
    asked = checked(np.asarray(vector, np.float32)[np.newaxis], tables.layout.dimension)[0]
    query = tables.processed.query().nearest_to(asked).column("embedding").distance_type("cosine")
    query = query.where(filters.visible(scope, kinds, item_ids)).bypass_vector_index()
    found = await query.select([*_COLUMNS, "_distance"]).limit(depth).to_arrow()
    scores = cosines(found).tolist()
    rows = [*zip(scores, own(found, scope).to_pylist(), strict=True)]
    newest = {row["document_id"]: (score, row) for score, row in sorted(rows, key=_last_newest)}
    ranked = sorted(newest.values(), key=lambda one: (-one[0], one[1]["document_id"]))
    return Neighbours(
        tuple(
            Neighbour(UUID(bytes=row["document_id"]), kind_named(row["kind"]), row["revision"], s)
            for s, row in ranked
        ),
        exhausted=found.num_rows < depth,
    )


def _last_newest(one: tuple[float, dict[str, Any]]) -> tuple[int, int]:
    return _age(one[1])


def _age(row: dict[str, Any]) -> tuple[int, int]:
    """Grows from each writing of an item to the next."""
    return row["revision"], row["fence"]
