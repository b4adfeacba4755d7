"""Damage to LanceDB, done behind the service's back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from atom_backend.vectors.checksum import CHECKSUM, checksums
from tests.deterministic import DIMENSION

Damage = Callable[[Any], object]
"""Done to an open table of LanceDB."""

SECOND = "ordinal = 1"
STRANGER = uuid.uuid4().bytes
ZERO = [0.0] * DIMENSION
LONG = [2.0, *ZERO[1:]]


def change(which: str | None, column: str, value: Any) -> Damage:
    return lambda table: table.update(which, {column: value})


def lose(which: str) -> Damage:
    return lambda table: table.delete(which)


def store_twice(table: Any) -> None:
    table.add(table.to_arrow())


def seal(table: Any) -> None:
    """Give every row the checksum that it would have if it had been written as it is now."""
    rows = table.to_arrow().combine_chunks()
    if not rows:
        return
    columns = [rows[name].chunk(0) for name in rows.schema.names if name != CHECKSUM]
    place = rows.schema.get_field_index(CHECKSUM)
    numbers = pa.array(checksums(columns))
    table.delete("true")
    table.add(rows.set_column(place, rows.schema.field(place), numbers))
