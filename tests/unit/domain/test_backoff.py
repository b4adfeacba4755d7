"""Waiting before the next attempt: jitter within bounds that grow up to a ceiling."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.backoff import SUSPECT_AFTER, Backoff, together

CHANCES = st.floats(0, 1, exclude_max=True)
LAST_CHANCE = 1 - 2**-53


@given(st.integers(1, 10_000), CHANCES)
def test_a_delay_lies_between_the_floor_and_the_ceiling(attempts: int, chance: float) -> None:
    backoff = Backoff(base=1.0, ceiling=300.0, floor=0.2)
    assert 0.2 <= backoff.delay(attempts, lambda: chance) <= 300.0


@given(st.integers(1, 100), CHANCES)
def test_with_the_same_luck_a_later_attempt_never_waits_less(attempts: int, chance: float) -> None:
    backoff = Backoff()
    sooner = backoff.delay(attempts, lambda: chance)
    assert backoff.delay(attempts + 1, lambda: chance) >= sooner


@pytest.mark.parametrize(("attempts", "highest"), [(1, 1.0), (2, 2.0), (5, 16.0), (10, 300.0)])
def test_the_longest_delay_doubles_up_to_the_ceiling(attempts: int, highest: float) -> None:
    assert Backoff().delay(attempts, lambda: LAST_CHANCE) == pytest.approx(highest)
    assert Backoff().delay(attempts, lambda: 0.0) == 0.2


def test_a_floor_above_the_ceiling_is_the_delay() -> None:
    assert Backoff(ceiling=0.1, floor=0.5).delay(3, lambda: LAST_CHANCE) == 0.5


def test_entries_that_failed_together_do_not_come_back_together() -> None:
    chance = random.Random(7).random
    delays = [Backoff().delay(8, chance) for _ in range(100)]
    assert len(set(delays)) == 100
    assert max(delays) - min(delays) > 64


def test_an_entry_is_tried_as_often_as_allowed_and_then_parked() -> None:
    backoff = Backoff(max_attempts=3)
    assert [backoff.exhausted(attempts) for attempts in (1, 2, 3, 4)] == [False, False, True, True]


def test_an_entry_is_suspect_before_it_is_parked() -> None:
    assert Backoff().max_attempts > SUSPECT_AFTER


def test_what_has_failed_more_often_is_tried_with_fewer_others_and_alone_at_last() -> None:
    sizes = [together(attempts, batch=32, max_attempts=6) for attempts in range(6)]
    assert sizes == [32, 32, 8, 2, 1, 1]


@given(st.integers(0, 20), st.integers(1, 1000), st.integers(1, 20))
def test_a_group_is_never_empty_and_the_last_attempt_is_made_alone(
    attempts: int, batch: int, max_attempts: int
) -> None:
    assert 1 <= together(attempts, batch=batch, max_attempts=max_attempts) <= batch
    last = max(max_attempts - 1, SUSPECT_AFTER)
    assert together(last, batch=batch, max_attempts=max_attempts) == 1
