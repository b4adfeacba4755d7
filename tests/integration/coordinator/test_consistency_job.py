"""The consistency job: what is asked for or due is run, and gets its end."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import cast
from uuid import UUID

import pytest

from atom_backend.coordinator.check import Progress
from atom_backend.domain.consistency import (
    RunOrder,
    RunState,
)
from atom_backend.domain.ports import Wakeup
from atom_backend.errors import StoredDataError, VectorStoreUnavailable
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.workers.loop import Loop
from tests.conftest import RunSql
from tests.integration.coordinator.looking import (
    CHECK,
    DRY,
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
from tests.integration.relational.racing import until


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
