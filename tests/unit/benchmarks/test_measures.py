"""The measures against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.measures import ndcg, percentile, recall


def test_a_perfect_ranking_has_an_ndcg_of_one() -> None:
    assert ndcg(["a", "b", "c"], {"a": 2, "b": 1}, 10) == pytest.approx(1.0)


def test_ndcg_of_graded_items_is_as_worked_out_by_hand() -> None:
    """DCG = 1/log2(2) + 0 + 2/log2(4) = 2; ideal = 2/log2(2) + 1/log2(3) = 2.63093."""
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1}, 10) == pytest.approx(2 / 2.6309297536)


def test_the_second_rank_is_already_discounted() -> None:
    """trec_eval divides rank 2 by log2(3); the paper's own form with base 2 would not."""
    assert ndcg(["x", "a"], {"a": 1}, 10) == pytest.approx(1 / math.log2(3))


def test_ndcg_looks_no_further_than_k() -> None:
    assert ndcg(["x", "y", "a"], {"a": 1}, 2) == 0.0


def test_the_ideal_ranking_is_cut_at_k_as_well() -> None:
    assert ndcg(["a", "b"], dict.fromkeys("abcdef", 1), 2) == pytest.approx(1.0)


def test_relevant_items_that_are_not_found_lower_ndcg() -> None:
    """DCG = 1; ideal = 1 + 1/log2(3) = 1.63093."""
    assert ndcg(["a"], {"a": 1, "b": 1}, 10) == pytest.approx(1 / 1.6309297536)


def test_a_repeated_item_gains_once() -> None:
    assert ndcg(["a", "a", "b"], {"a": 1, "b": 1}, 10) == pytest.approx(1.0)
    assert recall(["a", "a", "b"], {"a": 1, "b": 1}, 2) == 1.0


def test_a_negative_grade_counts_as_not_relevant() -> None:
    assert ndcg(["a"], {"a": -1, "b": 1}, 10) == 0.0
    assert recall(["a"], {"a": -1}, 10) == 0.0


def test_recall_is_the_found_part_of_all_relevant_items() -> None:
    assert recall(["a", "x", "b", "c"], {"a": 1, "b": 2, "c": 1, "d": 1, "e": 0}, 3) == 0.5


def test_without_relevant_items_nothing_is_gained() -> None:
    assert ndcg(["a"], {}, 10) == 0.0
    assert recall(["a"], {"a": 0}, 10) == 0.0


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 10.0), (0.5, 25.0), (0.95, 38.5), (1.0, 40.0)]
)
def test_percentiles_are_interpolated(share: float, expected: float) -> None:
    assert percentile([40.0, 10.0, 30.0, 20.0], share) == pytest.approx(expected)


def test_one_value_is_every_percentile() -> None:
    assert percentile([7.0], 0.95) == 7.0


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
