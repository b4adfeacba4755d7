"""The worker's loop on real stores: it sleeps until work is announced, and stops when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

import pytest

from atom_backend.coordinator.relay import Relay
from atom_backend.coordinator.upkeep import Sweep, Upkeep
from atom_backend.domain.consistency import RunState
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.workers.chores import Chores, Periodic, Timer
from atom_backend.workers.loop import Loop, Worker
from tests.deterministic import indexer
from tests.integration.coordinator.looking import Held, Looks
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS
from tests.making import a_document

PATIENCE = 20.0
FOR_EVER = 3600.0


class OnlyAnnouncements:
    """The real wakeup, but nothing ends a wait except an announcement or the order to close."""

    def __init__(self, url: str) -> None:
        self._wakeup = PostgresWakeup(url)
        self._waits = threading.Semaphore(0)

    def wait(self, seconds: float) -> bool:
        assert seconds > 0
        self._waits.release()
        return self._wakeup.wait(FOR_EVER)

    def until_listening(self) -> None:
        """The first wait ends at once, when it is connected; the second is a real one."""
        for _ in range(2):
            assert self._waits.acquire(timeout=PATIENCE)

    def close(self) -> None:
        self._wakeup.close()


@contextmanager
def working(
    stage: Stage, url: str, relay: Relay | None = None, beside: Sequence[Loop] = ()
) -> Iterator[OnlyAnnouncements]:
    """A worker on a thread of its own, which must have ended when the context has."""
    wakeup, stop = OnlyAnnouncements(url), Event()
    chores = Chores(
        [
            Periodic("Upkeep", Upkeep(stage.transactions, stage.vectors).run_once, FOR_EVER),
            Periodic("Sweep", Sweep(stage.transactions).run_once, FOR_EVER),
        ]
    )
    worker = Worker(
        stage.transactions,
        relay or stage.relay(),
        wakeup,
        spec=lambda: indexer().spec,
        beside=[Loop(chores.turn, Timer()), *beside],
    )
    thread = threading.Thread(target=worker.run, args=(stop,))
    with closing(wakeup):
        thread.start()
        try:
            yield wakeup
        finally:
            stop.set()
            worker.end_wait()
            thread.join(PATIENCE)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def settled(stage: Stage) -> bool:
    return not stage.sql("select 1 from index_entries where state <> 'settled'")


def test_a_waiting_worker_is_woken_by_every_write(stage: Stage, database_url: str) -> None:
    with working(stage, database_url) as wakeup:
        wakeup.until_listening()
        document = a_document(stage.transactions, stage.owner)
        until(lambda: settled(stage))
        stage.documents.change(stage.owner, document.id, {"text": "Changed."})
        until(lambda: settled(stage))
        stage.assert_in_step()
        stage.documents.remove(stage.owner, document.id)
        until(lambda: not stage.rows(CHUNKS, document.id))
        until(lambda: not stage.sql("select 1 from index_entries"))
    stage.assert_in_step()


def test_a_waiting_worker_stops_without_waiting_any_longer(stage: Stage, database_url: str) -> None:
    with working(stage, database_url) as wakeup:
        wakeup.until_listening()


def test_what_was_written_while_no_worker_ran_is_done_at_the_start(
    stage: Stage, database_url: str
) -> None:
    for number in range(5):
        a_document(stage.transactions, stage.owner, f"Number {number}.")
    with working(stage, database_url, stage.relay(batch=2)):
        until(lambda: settled(stage))
    stage.assert_in_step()


def test_what_was_indexed_under_another_spec_is_indexed_anew_at_the_start(
    stage: Stage, database_url: str
) -> None:
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.sql("update index_entries set spec = 'another'")
    with working(stage, database_url):
        until(lambda: bool(stage.sql("select 1 from index_entries where spec <> 'another'")))
    stage.assert_in_step()


def test_two_workers_share_the_work(stage: Stage, database_url: str) -> None:
    one, other = (working(stage, database_url, stage.relay(batch=2)) for _ in range(2))
    with one as first, other as second:
        first.until_listening()
        second.until_listening()
        for number in range(12):
            a_document(stage.transactions, stage.owner, f"Number {number}.")
        until(lambda: settled(stage))
    stage.assert_in_step()


def test_a_defect_in_a_pass_is_logged_and_survived(
    stage: Stage, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    defects = iter([ValueError("a defect in the model")])

    def fail_once(_: object) -> None:
        for defect in defects:
            raise defect

    a_document(stage.transactions, stage.owner)
    with working(stage, database_url, stage.relay(fail_once)):
        until(lambda: "the pass failed" in caplog.text)
        stage.expire_leases()
        until(lambda: settled(stage))
    stage.assert_in_step()


def test_writes_are_indexed_while_maintenance_hangs(stage: Stage, database_url: str) -> None:
    hangs, let_go = Event(), Event()

    def hang() -> str:
        hangs.set()
        assert let_go.wait(PATIENCE)
        return "At last."

    hanging = Loop(Chores([Periodic("Upkeep", hang, FOR_EVER)]).turn, Timer())
    with working(stage, database_url, beside=[hanging]):
        assert hangs.wait(PATIENCE)
        a_document(stage.transactions, stage.owner)
        until(lambda: settled(stage))
        let_go.set()


def test_writes_are_indexed_while_a_repair_takes_its_time(stage: Stage, database_url: str) -> None:
    held = Held()
    with (
        consistency(stage, database_url, held) as loop,
        working(stage, database_url, beside=[loop]),
    ):
        held.wait()
        document = a_document(stage.transactions, stage.owner)
        until(lambda: stage.entry(document.id).state == "settled")
        assert last_run(stage) == (RunState.RUNNING, None)
        held.let_go()
        until(lambda: last_run(stage) == (RunState.DONE, None))
    stage.assert_in_step()


def test_a_worker_that_is_told_to_stop_ends_in_the_midst_of_a_repair(
    stage: Stage, database_url: str
) -> None:
    held = Held()
    with (
        consistency(stage, database_url, held) as loop,
        working(stage, database_url, beside=[loop]),
    ):
        held.wait()
    state, reason = last_run(stage)
    assert state is RunState.RUNNING
    assert "told to stop" in str(reason)
    with consistency(stage, database_url) as loop, working(stage, database_url, beside=[loop]):
        until(lambda: last_run(stage) == (RunState.DONE, None))


def test_a_defect_in_the_job_beside_is_survived_by_both(
    stage: Stage, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    defects = iter([ValueError("a defect in the job")])

    def fail_once(_: object) -> None:
        for defect in defects:
            raise defect

    with (
        consistency(stage, database_url, fail_once) as loop,
        working(stage, database_url, beside=[loop]),
    ):
        a_document(stage.transactions, stage.owner)
        until(lambda: settled(stage))
        until(lambda: last_run(stage) == (RunState.DONE, None))
    assert "a defect in the job" in caplog.text


@contextmanager
def consistency(
    stage: Stage, url: str, during: Callable[[Any], None] = lambda _: None
) -> Iterator[Loop]:
    """The loop of a job whose repairs are due at once."""
    job = Looks(during=during).job(stage.transactions, FOR_EVER)
    with closing(PostgresWakeup(url, channel=CONSISTENCY_CHANNEL)) as wakeup:
        yield Loop(job.turn, wakeup, cut_short=job.cut_short)


def last_run(stage: Stage) -> tuple[RunState, str | None]:
    (row,) = stage.sql("select * from consistency_runs")
    return RunState(row.state), row.reason
