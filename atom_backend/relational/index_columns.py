"""An item's place in the index, as columns of queries that join its entry.

Invariant: an entry speaks for an item only when it has heard of the item's present content.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from atom_backend.domain.index_state import EntryState, IndexState, as_seen_by_users
from atom_backend.relational.tables import index_entries, items

_CURRENT = index_entries.c.revision >= items.c.content_revision

ENTRY_STATE = sa.func.coalesce(
    sa.case((_CURRENT, index_entries.c.state)), sa.literal(EntryState.DUE.value)
)
INDEX_COLUMNS = (
    ENTRY_STATE.label("entry_state"),
    sa.case((_CURRENT, index_entries.c.reason)).label("index_reason"),
    sa.func.coalesce(index_entries.c.chunk_count, 0).label("chunk_count"),
)
NEW_ENTRY: tuple[sa.ColumnElement[Any], ...] = (
    sa.literal_column(f"'{EntryState.DUE.value}'").label("entry_state"),
    sa.literal_column("null").label("index_reason"),
    sa.literal_column("0").label("chunk_count"),
)
"""Of an item that was just announced."""


def entry_states(seen: IndexState) -> list[str]:
    """The states of entries that a user sees as this one."""
    return [state.value for state in EntryState if as_seen_by_users(state) is seen]
