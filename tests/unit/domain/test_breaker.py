"""The breaker as a value: when it opens, how long for, and what closes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from atom_backend.domain.breaker import Breaker, BreakerPolicy

POLICY = BreakerPolicy(failures=3, first=0.5, longest=4.0)


def no_chance() -> float:
    return 0.0


def failing(breaker: Breaker, times: int, now: float = 0.0) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed(breaker.epoch, now, no_chance)
    return breaker


def opened(times: int = 1) -> Breaker:
    """Open after as many openings in a row, at the time 0 each."""
    breaker = failing(Breaker(POLICY), 3)
    for _ in range(times - 1):
        breaker = replace(breaker, until=0.0).passed()
        breaker = failing(breaker, 1)
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = failing(Breaker(POLICY), 2)
    assert (breaker.closed, breaker.wait(0.0)) == (True, None)
    breaker = failing(breaker.succeeded(breaker.epoch), 2)
    assert breaker.closed
    breaker = failing(breaker, 1)
    assert (breaker.closed, breaker.wait(0.0)) == (False, 0.5)


def test_each_opening_in_a_row_lasts_longer_up_to_a_bound() -> None:
    assert [opened(times).wait(0.0) for times in range(1, 7)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_chance_shortens_a_pause_by_up_to_a_half(openings: int, chance: float) -> None:
    highest = POLICY.pause(openings, no_chance)
    pause = POLICY.pause(openings, lambda: chance)
    assert pause == pytest.approx(highest * (1 - chance / 2))
    assert highest <= POLICY.longest


def test_after_the_pause_one_call_passes_at_a_time() -> None:
    breaker = opened()
    assert breaker.wait(0.49) is not None
    assert breaker.wait(0.5) is None
    trying = breaker.passed()
    assert trying.wait(100.0) is not None
    assert trying.given_up(trying.epoch).wait(100.0) is None


def test_a_trial_that_succeeds_closes_it_and_forgets_everything() -> None:
    trying = opened(5).passed()
    breaker = trying.succeeded(trying.epoch)
    assert breaker.closed
    assert failing(breaker, 2).closed
    assert failing(breaker, 3).wait(0.0) == 0.5


def test_a_probe_that_succeeds_closes_it_whatever_is_under_way() -> None:
    for breaker in (opened(), opened().passed(), failing(Breaker(POLICY), 2)):
        assert failing(breaker.healthy(), 2).closed


def test_what_is_late_decides_nothing() -> None:
    before = Breaker(POLICY)
    breaker = opened()
    assert breaker.succeeded(before.epoch) == breaker
    assert breaker.failed(before.epoch, 9.0, no_chance) == breaker
    trying = breaker.passed()
    late: list[Callable[[int], Breaker]] = [
        trying.succeeded,
        trying.given_up,
        lambda epoch: trying.failed(epoch, 9.0, no_chance),
    ]
    for event in late:
        assert event(before.epoch) == event(breaker.epoch) == trying
    again = trying.failed(trying.epoch, 0.0, no_chance)
    assert again.succeeded(trying.epoch) == again


class Life(RuleBasedStateMachine):
    """Any course of events: at most one call passes at once while it is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(POLICY)
        self.now = 0.0
        self.epochs: list[int] = []
        self.trials: set[int] = set()

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def call(self) -> None:
        if self.breaker.wait(self.now) is None:
            open_before = not self.breaker.closed
            self.breaker = self.breaker.passed()
            self.epochs.append(self.breaker.epoch)
            if open_before:
                assert not self.trials & {self.breaker.epoch}
                self.trials.add(self.breaker.epoch)

    @precondition(lambda self: self.epochs)
    @rule(place=st.integers(0, 99), how=st.sampled_from(["succeeded", "failed", "given_up"]))
    def end(self, place: int, how: str) -> None:
        epoch = self.epochs.pop(place % len(self.epochs))
        if how == "failed":
            self.breaker = self.breaker.failed(epoch, self.now, no_chance)
        else:
            self.breaker = getattr(self.breaker, how)(epoch)

    @rule()
    def probe(self) -> None:
        self.breaker = self.breaker.healthy()

    @invariant()
    def no_one_waits_for_ever(self) -> None:
        wait = self.breaker.wait(self.now)
        assert wait is None or 0 < wait <= POLICY.longest
        if self.breaker.trying:
            assert self.breaker.epoch in self.epochs


TestLife = Life.TestCase
