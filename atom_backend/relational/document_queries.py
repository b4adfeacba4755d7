"""How documents are read: their columns, their place in the index, finding and counting them.

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
from sqlalchemy.engine import Row

from atom_backend.domain.documents import Document, DocumentListing
from atom_backend.domain.facets import MOST_VALUES, Facet
from atom_backend.domain.index_state import EntryState, as_seen_by_users
from atom_backend.domain.items import Kind
from atom_backend.domain.search import SearchFilter
from atom_backend.relational.index_columns import ENTRY_STATE, INDEX_COLUMNS, entry_states
from atom_backend.relational.tables import documents, index_entries, items

_COLUMNS = (
    items.c.id,
    items.c.owner_id,
    items.c.revision,
    items.c.content_revision,
    items.c.content_hash,
    items.c.title,
    documents.c.content_type,
    documents.c.byte_size,
    items.c.source,
    items.c.external_id,
    items.c.tags,
    items.c.metadata,
    items.c.created_at,
    items.c.updated_at,
    *INDEX_COLUMNS,
)
_INDEXED_DOCUMENTS = items.join(documents, documents.c.id == items.c.id).outerjoin(
    index_entries, index_entries.c.item_id == items.c.id
)


def every_document() -> sa.Select[Any]:
    """The documents that the transaction's role may see, with their place in the index."""
    return sa.select(*_COLUMNS).select_from(_INDEXED_DOCUMENTS)


NAMED = every_document().where(items.c.id == sa.any_(sa.bindparam("named", type_=ARRAY(sa.Uuid))))
"""Those of the documents ``named`` that the transaction's role may see.

Made once: making it takes as long as PostgreSQL takes to answer it.
"""


def listed(listing: DocumentListing) -> sa.Select[Any]:
    """One page, newest first."""
    query = every_document().order_by(items.c.id.desc()).limit(listing.limit)
    if listing.after is not None:
        query = query.where(items.c.id < listing.after)
    if listing.tag is not None:
        query = query.where(items.c.tags.contains([listing.tag]))
    if listing.index_state is not None:
        query = query.where(ENTRY_STATE.in_(entry_states(listing.index_state)))
    if listing.updated_since is not None:
        query = query.where(items.c.updated_at >= listing.updated_since)
    return query


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


def as_document(row: Row[*tuple[Any, ...]]) -> Document:
    return Document(
        id=row.id,
        owner_id=row.owner_id,
        revision=row.revision,
        content_revision=row.content_revision,
        content_hash=bytes(row.content_hash),
        title=row.title,
        content_type=row.content_type,
        byte_size=row.byte_size,
        source=row.source,
        external_id=row.external_id,
        tags=tuple(row.tags),
        metadata=row.metadata,
        index_state=as_seen_by_users(EntryState(row.entry_state)),
        index_reason=row.index_reason,
        chunk_count=row.chunk_count,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
