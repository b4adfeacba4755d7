"""Which processors need weights of seven bits."""

from __future__ import annotations

import pytest

from atom_backend.embedding.recipe import FULL_RANGE, REDUCED_RANGE, recipe_for


@pytest.mark.parametrize("flag", ["avx512_vnni", "avx_vnni", "amx_int8"])
def test_an_x86_processor_with_exact_sums_takes_the_full_range(flag: str) -> None:
    assert recipe_for("x86_64", {"avx2", flag}) == FULL_RANGE


@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_an_x86_processor_without_them_takes_the_reduced_range(machine: str) -> None:
    assert recipe_for(machine, {"avx2", "avx512f"}) == REDUCED_RANGE


def test_other_processors_do_not_overflow() -> None:
    assert recipe_for("aarch64", set()) == FULL_RANGE
