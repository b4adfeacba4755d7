"""Chores: when each runs, and what one that fails means to the others. Time is a number."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

import pytest

from atom_backend.errors import AtomError, DatabaseUnavailable, VectorStoreUnavailable
from atom_backend.workers.chores import Chores, Periodic, Timer

PATIENCE = 20.0


class Clock:
    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def noting(ran: list[str], name: str, error: Exception | None = None) -> Callable[[], str]:
    def run_once() -> str:
        ran.append(name)
        if error is not None:
            raise error
        return f"{name} done."

    return run_once


def test_a_pass_runs_at_the_start_and_then_whenever_it_is_due() -> None:
    clock, ran = Clock(), list[str]()
    chores = Chores(
        [
            Periodic("often", noting(ran, "often"), seconds=10.0),
            Periodic("seldom", noting(ran, "seldom"), seconds=30.0),
        ],
        monotonic=clock,
    )
    for _ in range(7):
        clock.time += chores.turn()
    assert clock.time == 1_070.0
    assert "".join(name[0] for name in ran) == "os" + "o" + "o" + "os" + "o" + "o" + "os"


def test_a_round_before_anything_is_due_does_nothing() -> None:
    clock, ran = Clock(), list[str]()
    chores = Chores([Periodic("often", noting(ran, "often"), seconds=10.0)], monotonic=clock)
    chores.turn()
    clock.time += 4.0
    assert chores.turn() == 6.0
    assert ran == ["often"]


def test_time_that_a_pass_took_does_not_make_the_wait_negative() -> None:
    clock = Clock()

    def slow() -> str:
        clock.time += 60.0
        return "Done."

    assert Chores([Periodic("slow", slow, seconds=5.0)], monotonic=clock).turn() == 0.0


@pytest.mark.parametrize("error", [VectorStoreUnavailable("gone"), AtomError("ours")], ids=str)
def test_a_pass_that_fails_lets_the_others_run_and_is_reported(
    error: AtomError, caplog: pytest.LogCaptureFixture
) -> None:
    clock, ran = Clock(), list[str]()
    chores = Chores(
        [
            Periodic("failing", noting(ran, "failing", error), seconds=1.0),
            Periodic("sound", noting(ran, "sound"), seconds=1.0),
            Periodic("failing too", noting(ran, "too", DatabaseUnavailable("down")), seconds=1.0),
        ],
        monotonic=clock,
    )
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            chores.turn()
        assert raised.value is error
        clock.time += 15.0
    assert ran == ["failing", "sound", "too"] * 2
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == [
        "another pass failed: down"
    ] * 2


def test_a_pass_with_a_defect_waits_for_its_next_time_like_every_other() -> None:
    clock, ran = Clock(), list[str]()
    chores = Chores(
        [
            Periodic("failing", noting(ran, "failing", ValueError("a defect")), seconds=60.0),
            Periodic("sound", noting(ran, "sound"), seconds=60.0),
        ],
        monotonic=clock,
    )
    with pytest.raises(ValueError, match="a defect"):
        chores.turn()
    assert chores.turn() == 60.0
    assert ran == ["failing", "sound"]


def test_what_a_pass_did_is_logged_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    chores = Chores([Periodic("sweep", lambda: "Nothing.", 60.0)], monotonic=clock)
    for _ in range(3):
        clock.time += chores.turn()
    assert caplog.messages == ["sweep: Nothing."]


def test_closing_a_timer_ends_its_wait() -> None:
    timer, ended = Timer(), Event()

    def wait() -> None:
        timer.wait(10 * PATIENCE)
        ended.set()

    Thread(target=wait, daemon=True).start()
    timer.close()
    assert ended.wait(PATIENCE)
    assert timer.wait(10 * PATIENCE) is False
