"""One worker at a time runs checks and repairs, and what it leaves is taken by whoever lives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from atom_backend.coordinator.check import Progress
from atom_backend.domain.consistency import RunState
from atom_backend.domain.ports import Transactions
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.coordinator.looking import (
    CHECK,
    HOUR,
    PATIENCE,
    REPAIR,
    Ask,
    Held,
    Looks,
    Read,
    found,
    in_background,
)
from tests.integration.relational.racing import together, until

AN_HOUR_PASSES = """
    update consistency_runs set requested_at = requested_at - interval '1 hour 7 minutes',
        started_at = started_at - interval '1 hour 7 minutes',
        finished_at = finished_at - interval '1 hour 7 minutes'
"""
LOSE_THE_ELECTION = """
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())
"""


def test_two_workers_that_race_repair_once_an_interval(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    looks = Looks()
    jobs = [looks.job(transactions, HOUR) for _ in range(2)]

    def work(number: int) -> None:
        for _ in range(10):
            jobs[number].turn()

    for interval in range(1, 4):
        together(work, 2)
        assert looks.done == ["repair"] * interval
        pause = looks.job(transactions, HOUR).turn()
        assert looks.done == ["repair"] * interval, "a restarted worker knows what others did"
        assert 0 < pause <= 5, "an announcement that gets lost costs seconds"
        sql(AN_HOUR_PASSES)


class SlowToBeElected:
    """Transactions of a worker that sees others act between its look and its election."""

    def __init__(self, inner: Transactions, meanwhile: Callable[[], object]) -> None:
        self._inner = inner
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def elected(self, duty: str) -> Iterator[bool]:
        self._meanwhile()
        with self._inner.elected(duty) as mine:
            yield mine


def test_a_worker_that_is_elected_late_finds_the_repair_done(
    transactions: PostgresTransactions,
) -> None:
    looks = Looks()
    other = looks.job(transactions, HOUR)
    late = looks.job(cast(Transactions, SlowToBeElected(transactions, other.turn)), HOUR)
    assert late.turn() > 0
    assert looks.done == ["repair"]


def test_a_run_under_way_is_left_to_the_worker_that_lives(
    transactions: PostgresTransactions, ask: Ask, read: Read
) -> None:
    held, idle = Held(), Looks()
    run_id, waiting = ask(CHECK), ask(REPAIR)
    first = in_background(Looks(during=held).job(transactions))
    held.wait()
    assert idle.job(transactions, HOUR).turn() > 0
    assert idle.done == [], "one at a time"
    assert read(run_id).state is RunState.RUNNING
    held.let_go()
    first.result(PATIENCE)
    assert read(run_id).state is RunState.DONE
    idle.job(transactions).turn()
    assert (idle.done, read(waiting).state) == (["repair"], RunState.DONE)


DYING = """
import sys, time
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from tests.integration.coordinator.looking import Looks

def live_on(progress):
    print("looking", flush=True)
    time.sleep(600)

Looks(during=live_on).job(PostgresTransactions(create_engine(sys.argv[1]))).turn()
"""


def kill_in_the_middle_of_a_run(url: str) -> None:
    command = [sys.executable, "-c", DYING, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "looking\n"
        process.kill()


def test_the_run_of_a_killed_worker_is_begun_again_by_another(
    transactions: PostgresTransactions, database_url: str, ask: Ask, read: Read
) -> None:
    run_id = ask(REPAIR)
    kill_in_the_middle_of_a_run(database_url)
    looks = Looks()
    until(lambda: looks.job(transactions).turn() == 0)
    run = read(run_id)
    assert (looks.done, run.state, run.attempts) == (["repair"], RunState.DONE, 2)


def test_a_run_that_kills_its_workers_is_given_up_and_says_so(
    transactions: PostgresTransactions, ask: Ask, read: Read
) -> None:
    def die(_: Progress) -> None:
        raise ValueError("a defect")

    run_id, next_id = ask(CHECK), ask(REPAIR)
    dying = Looks(during=die).job(transactions)
    for _ in range(2):
        with pytest.raises(ValueError, match="a defect"):
            dying.turn()
        assert read(run_id).state is RunState.RUNNING
    looks = Looks()
    looks.job(transactions).turn()
    given_up = read(run_id)
    assert (given_up.state, given_up.reason) == (RunState.FAILED, "the worker did not finish")
    assert (looks.done, read(next_id).state) == (["repair"], RunState.DONE)


def test_a_worker_that_lost_its_election_leaves_the_run_to_the_next(
    transactions: PostgresTransactions,
    sql: RunSql,
    ask: Ask,
    read: Read,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held, looks = Held(), Looks(found(stale=1))
    run_id = ask(CHECK)
    late = in_background(Looks(found(missing=9), during=held).job(transactions))
    held.wait()
    sql(LOSE_THE_ELECTION)
    until(lambda: looks.job(transactions).turn() == 0)
    held.let_go()
    assert late.exception(PATIENCE) is not None
    run = read(run_id)
    assert (run.state, run.drift, run.attempts) == (RunState.DONE, {"stale": 1}, 2)
    assert "this one is void" in caplog.text
