"""What may pass from a model to the store."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from atom_backend.embedding.checked import check_vectors
from atom_backend.errors import RefusedVector


def unit_rows(count: int, dimension: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(7).normal(size=(count, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_unit_rows_pass_unchanged() -> None:
    rows = unit_rows(5, 8)
    np.testing.assert_array_equal(check_vectors(rows, 5, 8), rows)


def test_no_rows_pass_when_none_are_expected() -> None:
    assert check_vectors(np.empty((0, 8), dtype=np.float32), 0, 8).shape == (0, 8)


@pytest.mark.parametrize("shape", [(4, 8), (5, 7), (5, 8, 1), (40,)])
def test_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RefusedVector, match="shape"):
        check_vectors(np.ones(shape, dtype=np.float32), 5, 8)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, 0.5])
def test_a_bad_row_is_refused_by_its_index(value: float) -> None:
    rows = unit_rows(5, 8)
    rows[3] = value
    with pytest.raises(RefusedVector, match="row 3 "):
        check_vectors(rows, 5, 8)


def test_one_nan_in_a_row_is_enough() -> None:
    rows = unit_rows(5, 8)
    rows[2, 6] = np.nan
    with pytest.raises(RefusedVector, match="row 2 "):
        check_vectors(rows, 5, 8)
