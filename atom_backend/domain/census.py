"""The columns that a check reads from both stores.

Columns instead of objects: a million items are compared in seconds and in some 200 bytes each.
Invariant: a record of ``WANTED`` says all that PostgreSQL knows about an item's projection, so
two equal records at two moments mean that nobody touched the item in between: every lease has a
fence of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from atom_backend.domain.index_state import EntryState
from atom_backend.domain.items import Kind

Column = NDArray[Any]
Table = NDArray[np.void]
"""A structured array: named columns, one record a row."""

IDENTIFIER = np.dtype("S16")
"""A UUID's bytes: equal and ordered as PostgreSQL's uuid."""

STATES = (EntryState.DUE, EntryState.LEASED, EntryState.SETTLED, EntryState.PARKED)
"""A state is written as its place in here; an item without an entry as ``NO_ENTRY``."""

DUE, LEASED, SETTLED, PARKED = range(len(STATES))
NO_ENTRY = -1

KINDS = tuple(Kind)
"""A kind is written as its place in here; one that is none of these as ``NO_KIND``."""

NO_KIND = -1

ENTRY = np.dtype(
    [
        ("item", IDENTIFIER),
        ("owner", IDENTIFIER),
        ("revision", "i8"),
        ("indexed_revision", "i8"),
        ("fence", "i8"),
        ("chunk_count", "i4"),
        ("kind", "i1"),
        ("state", "i1"),
        ("deleted", "?"),
        ("current_spec", "?"),
    ]
)
"""An index entry. ``fence``: 0 before the first lease. ``current_spec``: indexed under the spec
that the check asks for."""

SOURCE = np.dtype(
    [
        ("item", IDENTIFIER),
        ("owner", IDENTIFIER),
        ("revision", "i8"),
        ("hash", "S32"),
        ("kind", "i1"),
    ]
)
"""A searchable item as its own row has it: the revision and the hash of its content."""

WANTED = np.dtype(
    [
        *((name, ENTRY[name]) for name in ENTRY.names or ()),
        ("has_source", "?"),
        ("source_owner", IDENTIFIER),
        ("source_revision", "i8"),
        ("source_kind", "i1"),
        ("hash", "S32"),
    ]
)
"""An entry and its source side by side."""


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """Some rows of chunks of the vector store, as columns of equal length.

    ``sound``: the row is what was written, and a search can use its vector.
    """

    item: Column
    owner: Column
    revision: Column
    fence: Column
    kind: Column
    current_spec: Column
    sound: Column
    ordinal: Column


@dataclass(frozen=True, slots=True)
class MarkRows:
    """Some processed rows of the vector store; ``sound`` as for chunks."""

    item: Column
    owner: Column
    revision: Column
    fence: Column
    kind: Column
    current_spec: Column
    sound: Column
    chunk_count: Column
    hash: Column


def wanted(entries: Table, sources: Table) -> Table:
    """The full join of ``ENTRY`` and ``SOURCE`` records, ordered by item."""
    # Sorting what is nearly in order takes a tenth of what numpy's set operations take.
    items = np.sort(np.concatenate([entries["item"], sources["item"]]), kind="stable")
    items = items[np.concatenate([[True], items[1:] != items[:-1]])[: len(items)]]
    joined = np.zeros(len(items), WANTED)
    joined["item"] = items
    joined["state"] = NO_ENTRY
    place = np.searchsorted(items, entries["item"])
    for name in ENTRY.names or ():
        joined[name][place] = entries[name]
    place = np.searchsorted(items, sources["item"])
    joined["has_source"][place] = True
    joined["source_owner"][place] = sources["owner"]
    joined["source_revision"][place] = sources["revision"]
    joined["source_kind"][place] = sources["kind"]
    joined["hash"][place] = sources["hash"]
    return joined


def touched(before: Table, after: Table) -> Column:
    """The items whose ``WANTED`` record is not the same at both moments."""
    return np.unique(np.setxor1d(before, after)["item"])


def as_uuid(identifier: bytes) -> UUID:
    """One element of an identifier column; numpy has cut off its trailing zero bytes."""
    return UUID(bytes=bytes(identifier).ljust(IDENTIFIER.itemsize, b"\0"))


def as_uuids(identifiers: Column) -> list[UUID]:
    """A whole column."""
    size = IDENTIFIER.itemsize
    packed = np.ascontiguousarray(identifiers).tobytes()
    return [UUID(bytes=packed[place : place + size]) for place in range(0, len(packed), size)]


def as_column(identifiers: Iterable[UUID]) -> Column:
    """The other way round."""
    return np.frombuffer(b"".join(one.bytes for one in identifiers), IDENTIFIER)
