"""The consistency job: every run is begun by one worker, and gets its end from whoever lives."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, cast
from uuid import UUID

import pytest

from atom_backend.coordinator.check import Progress
from atom_backend.coordinator.consistency import ConsistencyJob
from atom_backend.domain.consistency import (
    ConsistencyRun,
    RunKind,
    RunOrder,
    RunState,
    Schedule,
)
from atom_backend.domain.ports import Transactions, Wakeup
from atom_backend.domain.principals import Principal, Role
from atom_backend.errors import StoredDataError, VectorStoreUnavailable
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.workers.loop import Loop
from tests.conftest import RunSql
from tests.integration.coordinator.looking import PATIENCE, Held, Looks, found
from tests.integration.coordinator.stage import Stage
from tests.integration.relational.racing import together, until
from tests.making import a_document, a_user

HOUR = 3600.0
CHECK, REPAIR = RunOrder(RunKind.CHECK), RunOrder(RunKind.REPAIR)
DRY = RunOrder(RunKind.REPAIR, dry_run=True)
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


@pytest.fixture
def admin(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions, role=Role.ADMIN)


Ask = Callable[[RunOrder], UUID]
Read = Callable[[UUID], ConsistencyRun]


@pytest.fixture
def ask(transactions: PostgresTransactions, admin: Principal) -> Ask:
    def ask(order: RunOrder) -> UUID:
        with transactions.owner(admin) as work:
            return work.consistency.request(order).id

    return ask


@pytest.fixture
def read(transactions: PostgresTransactions, admin: Principal) -> Read:
    def read(run_id: UUID) -> ConsistencyRun:
        with transactions.owner(admin) as work:
            return work.consistency.get(run_id)

    return read


def in_background(job: ConsistencyJob) -> Future[float]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(job.turn)
    pool.shutdown(wait=False)
    return future


@pytest.mark.parametrize(
    ("order", "looked"),
    [(CHECK, "check"), (REPAIR, "repair"), (DRY, "dry run")],
)
def test_what_is_asked_for_is_run_and_its_report_kept(
    transactions: PostgresTransactions, ask: Ask, read: Read, order: RunOrder, looked: str
) -> None:
    looks = Looks(found(missing=2, stale=1))
    run_id = ask(order)
    job = looks.job(transactions)
    assert job.turn() == 0
    assert looks.done == [looked]
    run = read(run_id)
    assert (run.state, run.drift) == (RunState.DONE, {"missing": 2, "stale": 1})
    assert run.report is not None
    assert run.report.get("drift", run.report)["counts"] == {"missing": 2, "stale": 1}
    assert 0 < job.turn() <= 5
    assert looks.done == [looked]


def test_drift_is_a_warning_and_its_absence_is_none(
    transactions: PostgresTransactions, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    for report in (found(), found(orphaned=3)):
        ask(CHECK)
        Looks(report).job(transactions).turn()
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "3 orphaned" in warnings[0]


def test_without_a_schedule_nothing_is_run_that_nobody_asked_for(
    transactions: PostgresTransactions,
) -> None:
    looks = Looks()
    assert looks.job(transactions, seconds=0).turn() > 0
    assert looks.done == []


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


def real_job(stage: Stage, seconds: float = 0.0) -> ConsistencyJob:
    return ConsistencyJob(stage.transactions, stage.check(), stage.repair(), Schedule(seconds))


def test_real_damage_is_found_by_a_check_and_mended_by_the_next_repair(
    stage: Stage, ask: Ask, read: Read
) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])
    job = real_job(stage)
    runs = []
    for order in (CHECK, DRY, REPAIR, CHECK):
        runs.append(ask(order))
        assert job.turn() == 0
        stage.converge()
    stage.assert_in_step()
    found = [read(run_id) for run_id in runs]
    assert [run.state for run in found] == [RunState.DONE] * 4
    assert [run.drift for run in found] == [{"missing": 1}] * 3 + [{}]
    check, _, repair, _ = (dict(run.report or {}) for run in found)
    assert check["examples"][0]["item_id"] == str(document.id)
    assert (repair["requeued"], repair["dry_run"]) == (1, False)


def test_a_repair_waits_for_the_one_that_an_operator_runs_by_command(
    stage: Stage, ask: Ask, read: Read
) -> None:
    run_id = ask(REPAIR)
    job = real_job(stage)
    with stage.transactions.elected("repair") as command:
        assert command
        for _ in range(3):
            assert job.turn() > 0, "asking again and again at once would not help"
            assert read(run_id).reason == "Another process is repairing at this moment."
    assert job.turn() == 0
    assert read(run_id).state is RunState.DONE


def test_without_lancedb_a_run_fails_and_says_so(stage: Stage, ask: Ask, read: Read) -> None:
    run_id = ask(CHECK)
    stage.lance.rename(stage.lance.with_name("away"))
    real_job(stage).turn()
    run = read(run_id)
    assert run.state is RunState.FAILED
    assert "LanceDB" in str(run.reason)


@pytest.mark.parametrize(
    "error", [VectorStoreUnavailable("LanceDB is away."), StoredDataError("It cannot be read.")]
)
def test_a_run_that_cannot_be_done_fails_with_the_reason(
    transactions: PostgresTransactions, ask: Ask, read: Read, error: Exception
) -> None:
    def fail(_: Progress) -> None:
        raise error

    run_id = ask(CHECK)
    assert Looks(during=fail).job(transactions).turn() == 0
    assert (read(run_id).state, read(run_id).reason) == (RunState.FAILED, str(error))


def test_a_scheduled_repair_that_failed_is_tried_again_before_the_interval_is_over(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    def fail(_: Progress) -> None:
        raise VectorStoreUnavailable

    looks = Looks()
    Looks(during=fail).job(transactions, HOUR).turn()
    assert looks.job(transactions, HOUR).turn() > 0
    sql("update consistency_runs set finished_at = finished_at - interval '7 minutes'")
    assert looks.job(transactions, HOUR).turn() == 0
    assert looks.done == ["repair"]
    sql("update consistency_runs set finished_at = finished_at - interval '7 minutes'")
    assert looks.job(transactions, HOUR).turn() > 0


def test_a_worker_that_is_told_to_stop_leaves_its_run_unblamed(
    transactions: PostgresTransactions, ask: Ask, read: Read
) -> None:
    run_id = ask(CHECK)
    for _ in range(3):
        held = Held()
        job = Looks(during=held).job(transactions)
        turning = in_background(job)
        held.wait()
        job.cut_short()
        turning.result(PATIENCE)
        assert "told to stop" in str(read(run_id).reason)
        job.turn()
    looks = Looks()
    looks.job(transactions).turn()
    assert (looks.done, read(run_id).state, read(run_id).attempts) == (["check"], RunState.DONE, 1)


def test_a_real_check_is_left_in_its_midst_and_begun_again(
    stage: Stage, ask: Ask, read: Read
) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])
    run_id = ask(CHECK)
    stops: list[Callable[[], None]] = []
    check = stage.check(wait=lambda _: stops[0]())
    job = ConsistencyJob(stage.transactions, check, stage.repair(), Schedule(0))
    stops.append(job.cut_short)
    job.turn()
    left = read(run_id)
    assert (left.state, left.report) == (RunState.RUNNING, None)
    real_job(stage).turn()
    done = read(run_id)
    assert (done.state, done.drift, done.attempts) == (RunState.DONE, {"missing": 1}, 1)


class WaitsForEver:
    """The real wakeup, but nothing ends a wait except an announcement or the order to close."""

    def __init__(self, url: str) -> None:
        self._wakeup = PostgresWakeup(url, channel=CONSISTENCY_CHANNEL)
        self.waiting = Event()

    def wait(self, seconds: float) -> bool:
        assert 0 < seconds <= 5
        heard = self._wakeup.wait(0.0 if not self.waiting.is_set() else 3600.0)
        self.waiting.set()
        return heard

    def close(self) -> None:
        self._wakeup.close()


def _is_done(read: Read, run_id: UUID) -> bool:
    return read(run_id).state is RunState.DONE


def test_a_waiting_job_begins_what_is_asked_for_at_once(
    transactions: PostgresTransactions, database_url: str, ask: Ask, read: Read
) -> None:
    wakeup, stop = WaitsForEver(database_url), Event()
    job = Looks().job(transactions)
    loop = Loop(job.turn, cast(Wakeup, wakeup), cut_short=job.cut_short)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(loop.run, stop)
        assert wakeup.waiting.wait(PATIENCE)
        for order in (CHECK, REPAIR):
            until(partial(_is_done, read, ask(order)))
        stop.set()
        loop.end_wait()
        running.result(PATIENCE)
