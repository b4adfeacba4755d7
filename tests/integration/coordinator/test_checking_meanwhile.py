"""A check beside writers and workers: what is in motion is never called drift, and what is is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest

from atom_backend.coordinator import examination
from atom_backend.domain.drift import Drift, DriftReport
from atom_backend.domain.items import Projection
from atom_backend.domain.resources.rules import Record
from tests.deterministic import indexer
from tests.integration.coordinator.stage import Stage
from tests.making import a_document
from tests.watching import Moment

CHECKS = 8
WRITES = 40
PATIENCE = 60.0


class At:
    """Does something at the first such moment, or at a later one."""

    def __init__(self, moment: Moment, action: Callable[[], object], nth: int = 1) -> None:
        self._moment = moment
        self._action = action
        self._left = nth

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                self._action()


def projections(stage: Stage, document: Record) -> list[Projection]:
    """What the present text of a document is to look like in LanceDB."""
    with stage.transactions.worker() as work:
        sources = work.sources([document.id])
    return indexer().project(list(sources.values()), lambda: None)


def settled_twice(stage: Stage) -> tuple[Record, int]:
    """A document, and a fence under which a late worker might write."""
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.documents.change(stage.owner, document.id, {"text": "Second.\n\nText."})
    stage.converge()
    return document, stage.entry(document.id).fence - 1


def everything_is_written(stage: Stage, kept: Record, gone: Record) -> None:
    stage.documents.change(stage.owner, kept.id, {"text": "Another.\n\nText."})
    stage.documents.remove(stage.owner, gone.id)
    a_document(stage.transactions, stage.owner, "A new one.")
    stage.converge()


@pytest.mark.parametrize(
    ("moment", "nth"),
    [
        (("before", "entries"), 1),
        (("after", "sources"), 1),
        (("before", "chunk_census"), 1),
        (("after", "sources"), 2),
        (("before", "chunk_census"), 2),
        (("before", "entries"), 3),
        (("before", "mark_census"), 3),
    ],
)
def test_what_is_written_in_the_midst_of_a_check_is_not_drift(
    stage: Stage, moment: Moment, nth: int
) -> None:
    """A lost row makes the check look again, and again."""
    kept, gone, lost = (
        a_document(stage.transactions, stage.owner, f"Number {n}.\n\nMore.") for n in range(3)
    )
    stage.converge()
    stage.vectors.drop_items([lost.id])
    happened = []

    def write() -> None:
        everything_is_written(stage, kept, gone)
        happened.append(moment)

    report = stage.check(At(moment, write, nth)).run()
    assert happened
    assert (report.counts, [one.item_id for one in report.examples]) == (
        {Drift.MISSING: 1},
        [lost.id],
    )


@pytest.mark.parametrize("nth", [2, 3])
@pytest.mark.parametrize("indexed", [False, True], ids=["due", "settled again"])
def test_what_is_rewritten_while_it_is_looked_at_is_in_motion(
    stage: Stage, nth: int, indexed: bool
) -> None:
    """Between the entries before and the rows, also in the last look of all."""
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])

    def rewrite() -> None:
        stage.documents.change(stage.owner, document.id, {"text": "Written anew."})
        if indexed:
            stage.converge()

    assert stage.check(At(("before", "mark_census"), rewrite, nth)).run().in_step
    assert stage.check().run().in_flight == int(not indexed)


def test_what_a_late_worker_adds_and_takes_back_is_not_drift(stage: Stage) -> None:
    document, late = settled_twice(stage)
    stage.vectors.add_chunks(projections(stage, document), late)
    waits = []

    def take_back(seconds: float) -> None:
        waits.append(seconds)
        stage.vectors.drop_fence([document.id], late)

    assert stage.check(wait=take_back).run().in_step
    (seconds,) = waits
    assert seconds > 0


def test_what_a_late_worker_adds_and_does_not_take_back_is_drift(stage: Stage) -> None:
    document, late = settled_twice(stage)
    stage.vectors.add_chunks(projections(stage, document), late)
    counts = stage.check().run().counts
    assert counts == {Drift.STALE: 1, Drift.DUPLICATE: 1}


def test_an_item_that_is_wrong_in_another_way_each_time_is_in_motion(stage: Stage) -> None:
    """Damaged, settled again, and damaged again: between two looks that is not one drift."""
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])

    def settle_and_damage(_: float) -> None:
        stage.documents.change(stage.owner, document.id, {"text": "New."})
        stage.converge()
        stage.vectors.drop_items([document.id])

    assert stage.check(wait=settle_and_damage).run().in_step
    assert stage.check().run().counts == {Drift.MISSING: 1}


def test_what_waits_and_what_is_parked_is_counted_and_is_not_drift(stage: Stage) -> None:
    waiting, parked, deleted, leased = (
        a_document(stage.transactions, stage.owner, f"Number {n}.") for n in range(4)
    )
    stage.converge()
    stage.documents.change(stage.owner, waiting.id, {"text": "Changed."})
    stage.documents.remove(stage.owner, deleted.id)
    stage.sql(
        "update index_entries set state = 'parked', reason = 'why not' where item_id = :id",
        id=parked.id,
    )
    stage.sql("update index_entries set state = 'leased' where item_id = :id", id=leased.id)
    stage.vectors.drop_items([waiting.id, parked.id, leased.id])
    report = stage.check().run()
    assert (report.in_step, report.items, report.in_flight, report.parked) == (True, 4, 3, 1)


def test_more_drift_than_is_looked_at_at_once_is_counted_in_full(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "PAGE", 3)
    documents = [a_document(stage.transactions, stage.owner, f"Number {n}.") for n in range(13)]
    stage.converge()
    stage.vectors.drop_items([one.id for one in documents[1:]])
    steps: list[tuple[int, int]] = []
    report = stage.check().run(lambda done, total: steps.append((done, total)))
    assert report.counts == {Drift.MISSING: 12}
    assert len({one.item_id for one in report.examples}) == len(report.examples) == 10
    assert steps == sorted(steps)
    assert all(done <= total for done, total in steps)
    assert steps[-1][0] == steps[-1][1]
    assert stage.repair().run().requeued == 12
    stage.converge()
    stage.assert_in_step()


def test_checks_beside_busy_writers_and_workers_find_nothing(stage: Stage) -> None:
    stop = threading.Event()
    written: list[float] = []

    def write() -> None:
        random = Random(7)
        mine: list[UUID] = []
        while not stop.is_set():
            written.append(random.random())
            if len(mine) < 6 or written[-1] < 0.3:
                text = f"Number {len(written)}.\n\nMore."
                mine.append(a_document(stage.transactions, stage.owner, text).id)
            elif written[-1] < 0.7:
                changes = {"text": f"Changed {len(written)}."}
                stage.documents.change(stage.owner, random.choice(mine), changes)
            else:
                stage.documents.remove(stage.owner, mine.pop(random.randrange(len(mine))))

    def work() -> None:
        relay = stage.relay(batch=4)
        while not stop.is_set():
            relay.run_once()

    threads = [threading.Thread(target=one) for one in (write, work, work)]
    for thread in threads:
        thread.start()
    try:
        reports: list[DriftReport] = []
        while len(reports) < CHECKS or len(written) < WRITES:
            assert len(reports) < 10 * CHECKS
            reports.append(stage.check().run())
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert [str(report) for report in reports if not report.in_step] == []
    assert any(report.in_flight for report in reports)
    stage.expire_leases()
    stage.converge()
    stage.assert_in_step()
    assert stage.check().run().in_step
