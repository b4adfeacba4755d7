"""What record and pointer say together, after whatever interruption or restore."""

from __future__ import annotations

import uuid

import pytest

from atom_backend.domain.generations import Generation, Pointer, agreed
from atom_backend.errors import VectorStoreUnavailable

OURS, THEIRS = uuid.UUID(int=1), uuid.UUID(int=2)
BUILDING = Pointer(OURS, 3, building=4)

SITUATIONS: dict[str, tuple[int, Pointer, int | None]] = {
    "both say the same": (3, Pointer(OURS, 3), 3),
    "a rebuild is under way": (3, BUILDING, 3),
    "a rebuild was killed before the record": (3, BUILDING.announcing(), 3),
    "a rebuild was killed after the record": (4, BUILDING.announcing(), 4),
    "the folder is an older one, with tables half built": (4, BUILDING, 3),
    "the folder is an older one": (4, Pointer(OURS, 2), 2),
    "the folder is a newer one": (2, Pointer(OURS, 3), 3),
    "a lost folder is being rebuilt": (3, Pointer(OURS, None, building=4), None),
    "a lost folder has been rebuilt": (4, Pointer(OURS, None, 4, ready=True), 4),
}


@pytest.mark.parametrize(("recorded", "pointer", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_tables_that_are_there_and_complete_count(
    recorded: int, pointer: Pointer, expected: int | None
) -> None:
    generation = None if expected is None else Generation(OURS, expected)
    assert agreed(Generation(OURS, recorded), pointer) == generation


def test_the_store_of_another_database_is_refused() -> None:
    with pytest.raises(VectorStoreUnavailable, match="belongs to another database"):
        agreed(Generation(OURS, 3), Pointer(THEIRS, 3))


def test_a_switch_leaves_nothing_but_the_new_generation() -> None:
    assert BUILDING.announcing().switched(4) == Pointer(OURS, 4)
