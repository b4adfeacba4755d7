"""Plain records of both stores, and the columns that a check makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

import numpy as np

from atom_backend.domain.census import (
    ENTRY,
    IDENTIFIER,
    SOURCE,
    STATES,
    ChunkRows,
    Column,
    MarkRows,
    Table,
)
from atom_backend.domain.index_state import EntryState


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


@dataclass(frozen=True, slots=True)
class Source:
    item: UUID
    owner: UUID
    revision: int = 1
    hash: bytes = b"h" * 32


@dataclass(frozen=True, slots=True)
class Row:
    """Of chunks: with an ordinal; a processed row: with a count and a hash."""

    item: UUID
    owner: UUID
    revision: int = 1
    fence: int = 5
    current_spec: bool = True
    sound: bool = True
    ordinal: int = 0
    chunk_count: int = 2
    hash: bytes = b"h" * 32


def entries(records: Sequence[Entry]) -> Table:
    rows = [
        (
            one.item.bytes,
            one.owner.bytes,
            *astuple(one)[2:6],
            STATES.index(one.state),
            *astuple(one)[7:],
        )
        for one in records
    ]
    return np.array(rows, ENTRY)


def sources(records: Sequence[Source]) -> Table:
    rows = [(one.item.bytes, one.owner.bytes, one.revision, one.hash) for one in records]
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
        "current_spec": np.array([row.current_spec for row in rows], bool),
        "sound": np.array([row.sound for row in rows], bool),
    }
