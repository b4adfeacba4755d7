"""A breaker shared by threads: nobody waits for anybody, and what is open fails at once."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from atom_backend.domain.breaker import BreakerPolicy
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    DatabaseUnavailable,
    EmbedderUnavailable,
    Unauthenticated,
)
from atom_backend.guards.circuit import Circuit

PATIENCE = 20.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    policy = BreakerPolicy(failures=2, first=1.0, longest=4.0)
    return Circuit("it", DatabaseUnavailable, policy=policy, monotonic=clock, chance=lambda: 0.0)


def end(circuit: Circuit, error: BaseException | None = None) -> None:
    """One call, which ends like this."""
    try:
        with circuit.attempt():
            if error is not None:
                raise error
    except BaseException as raised:
        if raised is not error:
            raise


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        end(circuit, DatabaseUnavailable())


def test_open_it_fails_at_once_and_says_when_to_come_back(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 2)
    clock.now = 0.25
    with pytest.raises(DatabaseUnavailable) as refused:
        end(circuit)
    assert refused.value.retry_after == 0.75
    assert circuit.is_open()


def test_it_closes_by_itself_once_a_call_is_answered(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 2)
    clock.now = 1.0
    end(circuit)
    assert not circuit.is_open()
    end(circuit)


def test_a_trial_that_fails_opens_it_for_longer(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 2)
    clock.now = 1.0
    fail(circuit)
    clock.now = 2.9
    with pytest.raises(DatabaseUnavailable):
        end(circuit)
    clock.now = 3.0
    end(circuit)


@pytest.mark.parametrize("error", [Unauthenticated(), ConfigurationError("x"), AtomError("x")])
def test_an_error_of_another_class_is_an_answer(
    circuit: Circuit, clock: Clock, error: AtomError
) -> None:
    fail(circuit)
    end(circuit, error)
    fail(circuit)
    assert not circuit.is_open()
    fail(circuit)
    clock.now = 1.0
    end(circuit, error)
    assert not circuit.is_open()


def test_a_subclass_of_the_failure_counts_and_a_sibling_does_not(circuit: Circuit) -> None:
    class Lost(DatabaseUnavailable):
        """Lost."""

    for _ in range(5):
        end(circuit, EmbedderUnavailable())
    assert not circuit.is_open()
    end(circuit, Lost())
    end(circuit, Lost())
    assert circuit.is_open()


@pytest.mark.parametrize("error", [RuntimeError("defect"), KeyboardInterrupt(), SystemExit()])
def test_a_trial_that_says_nothing_leaves_the_next_one_its_turn(
    circuit: Circuit, clock: Clock, error: BaseException
) -> None:
    fail(circuit, 2)
    clock.now = 1.0
    end(circuit, error)
    assert circuit.is_open()
    end(circuit)
    assert not circuit.is_open()


def test_a_healthy_probe_closes_it(circuit: Circuit) -> None:
    fail(circuit, 2)
    circuit.healthy()
    end(circuit)


def test_calls_run_side_by_side(circuit: Circuit) -> None:
    together = Barrier(4)

    def call() -> None:
        with circuit.attempt():
            together.wait(PATIENCE)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(call) for _ in range(4)]:
            done.result(PATIENCE)


def test_of_a_crowd_one_is_the_trial_and_no_one_waits_for_it(
    circuit: Circuit, clock: Clock
) -> None:
    fail(circuit, 2)
    clock.now = 1.0
    entered, released = Event(), Event()

    def trial() -> None:
        with circuit.attempt():
            entered.set()
            assert released.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(trial)
        assert entered.wait(PATIENCE)
        for _ in range(5):
            with pytest.raises(DatabaseUnavailable):
                end(circuit)
        released.set()
        trying.result(PATIENCE)
    end(circuit)


def test_it_says_once_that_it_opened_and_once_that_it_closed(
    circuit: Circuit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fail(circuit, 2)
    for clock.now in (1.0, 3.0, 7.0):
        fail(circuit)
    clock.now = 11.0
    end(circuit)
    end(circuit)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
