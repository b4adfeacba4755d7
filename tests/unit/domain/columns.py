"""Plain records of both stores, and the columns that a check makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

import numpy as np

from atom_backend.domain.census import (
    ENTRY,
    IDENTIFIER,
    KINDS,
    NO_KIND,
    SOURCE,
    STATES,
    ChunkRows,
    Column,
    MarkRows,
    Table,
)
from atom_backend.domain.index_state import EntryState
from atom_backend.domain.items import Kind


@dataclass(frozen=True, slots=True)
class Entry:
    item: UUID
    owner: UUID
    revision: int = 1
    indexed_revision: int = 1
    fence: int = 5
    chunk_count: int = 2
    state: EntryState = EntryState.SETTLED
    deleted: bool = False
    current_spec: bool = True
    kind: Kind = Kind.DOCUMENT


@dataclass(frozen=True, slots=True)
class Source:
    item: UUID
    owner: UUID
    revision: int = 1
    hash: bytes = b"h" * 32
    kind: Kind = Kind.DOCUMENT


@dataclass(frozen=True, slots=True)
class Row:
    """Of chunks: with an ordinal; a processed row: with a count and a hash.

    ``kind`` is None where the row says one that there is not.
    """

    item: UUID
    owner: UUID
    revision: int = 1
    fence: int = 5
    current_spec: bool = True
    sound: bool = True
    ordinal: int = 0
    chunk_count: int = 2
    hash: bytes = b"h" * 32
    kind: Kind | None = Kind.DOCUMENT


def entries(records: Sequence[Entry]) -> Table:
    rows = [
        (
            one.item.bytes,
            one.owner.bytes,
            *astuple(one)[2:6],
            KINDS.index(one.kind),
            STATES.index(one.state),
            *astuple(one)[7:9],
        )
        for one in records
    ]
    return np.array(rows, ENTRY)


def sources(records: Sequence[Source]) -> Table:
    rows = [
        (one.item.bytes, one.owner.bytes, one.revision, one.hash, KINDS.index(one.kind))
        for one in records
    ]
    return np.array(rows, SOURCE)


def chunk_rows(rows: Sequence[Row]) -> ChunkRows:
    return ChunkRows(**_common(rows), ordinal=np.array([row.ordinal for row in rows], np.int32))


def mark_rows(rows: Sequence[Row]) -> MarkRows:
    return MarkRows(
        **_common(rows),
        chunk_count=np.array([row.chunk_count for row in rows], np.int32),
        hash=np.array([row.hash for row in rows], "S32"),
    )


def _common(rows: Sequence[Row]) -> dict[str, Column]:
    return {
        "item": np.array([row.item.bytes for row in rows], IDENTIFIER),
        "owner": np.array([row.owner.bytes for row in rows], IDENTIFIER),
        "revision": np.array([row.revision for row in rows], np.int64),
        "fence": np.array([row.fence for row in rows], np.int64),
        "kind": np.array([_place(row.kind) for row in rows], np.int32),
        "current_spec": np.array([row.current_spec for row in rows], bool),
        "sound": np.array([row.sound for row in rows], bool),
    }


def _place(kind: Kind | None) -> int:
    return NO_KIND if kind is None else KINDS.index(kind)
