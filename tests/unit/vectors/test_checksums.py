"""A row's checksum changes with whatever is changed in the row, and with nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.items import Chunk, Kind, Projection
from atom_backend.vectors.census import chunk_rows as chunk_census
from atom_backend.vectors.census import mark_rows as mark_census
from atom_backend.vectors.checksum import CHECKSUM, checksums
from atom_backend.vectors.schema import chunk_rows, processed_rows

DIMENSION = 5
SPEC = "a spec"


def projection(number: int) -> Projection:
    texts = [f"text {number}", "ünïcode", ""]
    vectors = np.zeros((len(texts), DIMENSION), np.float32)
    vectors[:, number % DIMENSION] = 1
    return Projection(
        item_id=UUID(int=number),
        owner_id=UUID(int=100 + number),
        kind=Kind.DOCUMENT,
        revision=number,
        title=f"Title {number}",
        content_hash=bytes([number]) * 32,
        spec=SPEC,
        chunks=tuple(
            Chunk(UUID(int=1000 + place), place, place, place + len(text), text)
            for place, text in enumerate(texts)
        ),
        vectors=vectors,
        embedding=vectors[0],
    )


BATCHES = {
    "chunks": chunk_rows([projection(n) for n in range(7)], 3, DIMENSION),
    "processed": processed_rows([projection(n) for n in range(7)], 3, DIMENSION),
}
COLUMNS = [(name, column) for name, batch in BATCHES.items() for column in batch.schema.names]


def sound(batch: Any) -> list[bool]:
    rows = (
        chunk_census(batch, SPEC) if "ordinal" in batch.schema.names else mark_census(batch, SPEC)
    )
    return list(rows.sound)


def with_column(batch: Any, name: str, values: Any) -> Any:
    place = batch.schema.get_field_index(name)
    return batch.set_column(place, batch.schema.field(place), values)


def flipped(column: Any, bit: int) -> Any:
    """The same column with one bit of its values changed."""
    place = 2 if pa.types.is_string(column.type) else 1
    inner = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
    buffers = inner.buffers()
    raw = np.frombuffer(buffers[place], np.uint8).copy()
    size = inner.nbytes - (buffers[1].size if place == 2 else 0)
    raw[(bit // 8) % size] ^= 1 << bit % 8
    buffers[place] = pa.py_buffer(raw)
    changed = pa.Array.from_buffers(inner.type, len(inner), buffers)
    return changed if inner is column else pa.FixedSizeListArray.from_arrays(changed, DIMENSION)


def plain(column: Any) -> list[Any]:
    """Values that are equal only if all of their bits are."""
    if pa.types.is_string(column.type):
        return list(column.cast(pa.binary()).to_pylist())
    if pa.types.is_fixed_size_list(column.type):
        numbers = column.flatten().view(pa.uint32())
        return list(pa.FixedSizeListArray.from_arrays(numbers, DIMENSION).to_pylist())
    if pa.types.is_timestamp(column.type):
        return list(column.view(pa.int64()).to_pylist())
    return list(column.to_pylist())


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_rows_are_sound_as_they_are_written(batch: Any) -> None:
    assert all(sound(batch))
    assert len(set(batch[CHECKSUM].to_pylist())) == len(batch)


@settings(deadline=None)
@given(st.sampled_from(COLUMNS), st.integers(0, 10_000))
def test_a_row_of_which_one_bit_is_changed_is_not_sound(place: tuple[str, str], bit: int) -> None:
    name, column = place
    batch = BATCHES[name]
    damaged = with_column(batch, column, flipped(batch[column], bit))
    changed = [
        one != other
        for one, other in zip(plain(batch[column]), plain(damaged[column]), strict=True)
    ]
    assert [not one for one in sound(damaged)] == changed
    assert changed.count(True) == 1


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_a_slice_has_the_checksums_of_its_rows(batch: Any) -> None:
    assert all(sound(batch.slice(2, 4)))


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_rows_whose_values_are_swapped_are_not_sound(batch: Any) -> None:
    for column in ("document_id", "owner_id"):
        turned = with_column(batch, column, batch[column].take(pa.array(range(len(batch))[::-1])))
        assert not sound(turned)[0]
    swapped = with_column(
        with_column(batch, "document_id", batch["owner_id"]), "owner_id", batch["document_id"]
    )
    assert not any(sound(swapped))


def test_a_row_of_zeros_is_not_sound() -> None:
    zeros = [pa.array([0]), pa.FixedSizeListArray.from_arrays(pa.array([0.0], pa.float32()), 1)]
    assert checksums(zeros)[0] != 0


@pytest.mark.parametrize(
    "vector",
    [
        [float("nan"), 0, 0, 0, 0],
        [float("inf"), 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0],
        [1e38, 1e38, 0, 0, 0],
    ],
)
@pytest.mark.parametrize(("name", "column"), [("chunks", "vector"), ("processed", "embedding")])
def test_a_vector_that_no_search_can_use_is_not_sound(
    name: str, column: str, vector: list[float]
) -> None:
    """Even under a fitting checksum."""
    batch = BATCHES[name]
    numbers = pa.array(np.tile(np.array(vector, np.float32), len(batch)))
    damaged = with_column(batch, column, pa.FixedSizeListArray.from_arrays(numbers, DIMENSION))
    columns = [damaged[name] for name in damaged.schema.names if name != CHECKSUM]
    sealed = with_column(damaged, CHECKSUM, pa.array(checksums(columns)))
    assert not any(sound(sealed))


def test_the_checksum_is_the_same_on_every_machine_and_in_every_version() -> None:
    """It is stored: changing how it is computed makes every row of every store corrupt."""
    known = {"chunks": -5540396538174363602, "processed": 4100714432450406270}
    columns = {
        name: checksums([batch[c] for c in batch.schema.names if c not in {CHECKSUM, "written_at"}])
        for name, batch in BATCHES.items()
    }
    assert {name: int(numbers[3]) for name, numbers in columns.items()} == known
