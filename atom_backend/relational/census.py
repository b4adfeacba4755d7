"""The columns of a check, read from one snapshot of PostgreSQL (role ``atom_worker``).

A driver that makes a Python object of every value takes longer than the rest of a check together,
and psycopg2's COPY does not work beside the deadlines of ``deadline.py``. So the server packs the
columns of many rows, in its binary formats, into one value. The rows are taken block by block in
the order in which they lie on the disk, which is what a scan of the table costs; the order by item
is made in memory. Invariant: one snapshot, in which every row has one place, and read only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from atom_backend.domain.census import ENTRY, IDENTIFIER, KINDS, NO_KIND, SOURCE, STATES, Table
from atom_backend.relational.tables import index_entries, items

_BLOCKS = 2_048
"""Blocks of a table in one statement: 16 MB."""

_STATE = " ".join(f"when '{state}' then {place}" for place, state in enumerate(STATES))
_KIND = " ".join(f"when '{kind}' then {place}" for place, kind in enumerate(KINDS))
_PACKED_KIND = f"int2send((case kind {_KIND} else {NO_KIND} end)::int2)"

_PACKED_ENTRY = f"""
    uuid_send(item_id) || uuid_send(owner_id) || int8send(revision) || int8send(indexed_revision)
    || int8send(coalesce(fence, 0)) || int4send(chunk_count)
    || {_PACKED_KIND} || int2send((case state {_STATE} end)::int2) || boolsend(deleted)
    || boolsend(coalesce(spec = :spec, false))
"""
_WIRE_ENTRY = np.dtype(
    [
        ("item", IDENTIFIER),
        ("owner", IDENTIFIER),
        ("revision", ">i8"),
        ("indexed_revision", ">i8"),
        ("fence", ">i8"),
        ("chunk_count", ">i4"),
        ("kind", ">i2"),
        ("state", ">i2"),
        ("deleted", "?"),
        ("current_spec", "?"),
    ]
)

_PACKED_SOURCE = (
    "uuid_send(id) || uuid_send(owner_id) || int8send(content_revision) || content_hash"
    f" || {_PACKED_KIND}"
)
_WIRE_SOURCE = np.dtype(
    [
        ("item", IDENTIFIER),
        ("owner", IDENTIFIER),
        ("revision", ">i8"),
        ("hash", "S32"),
        ("kind", ">i2"),
    ]
)


class PostgresCensus:
    """Both tables at one moment: the one at which the transaction began."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self, spec: str, among: Sequence[UUID] | None = None) -> Table:
        packed = self._read(
            index_entries.name, index_entries.c.item_id.name, _PACKED_ENTRY, among, spec=spec
        )
        return _unpacked(packed, _WIRE_ENTRY, ENTRY)

    def sources(self, among: Sequence[UUID] | None = None) -> Table:
        packed = self._read(items.name, items.c.id.name, _PACKED_SOURCE, among)
        return _unpacked(packed, _WIRE_SOURCE, SOURCE)

    def _read(
        self, table: str, key: str, packed: str, among: Sequence[UUID] | None, **values: str
    ) -> Iterator[bytes]:
        select = f"select string_agg({packed}, ''::bytea) from {table} where"
        if among is not None:
            chosen = sa.text(f"{select} {key} = any(:among)").bindparams(
                sa.bindparam("among", list(among), ARRAY(sa.Uuid)), **values
            )
            yield bytes(self._connection.scalar(chosen) or b"")
            return
        some = sa.text(f"{select} ctid >= cast(:begin as tid) and ctid < cast(:end as tid)")
        for begin in range(0, self._blocks(table), _BLOCKS):
            place = {"begin": f"({begin},0)", "end": f"({begin + _BLOCKS},0)"}
            yield bytes(self._connection.scalar(some, place | values) or b"")

    def _blocks(self, table: str) -> int:
        """How long the table is now, which is not less than it was when the snapshot was taken."""
        blocks = sa.text(
            "select pg_relation_size(cast(:name as regclass))"
            " / cast(current_setting('block_size') as integer)"
        )
        return int(self._connection.scalar(blocks, {"name": table}) or 0)


def _unpacked(packed: Iterator[bytes], wire: np.dtype[np.void], kind: np.dtype[np.void]) -> Table:
    parts = [np.frombuffer(part, wire).astype(kind) for part in packed]
    return np.concatenate([np.empty(0, kind), *parts])
