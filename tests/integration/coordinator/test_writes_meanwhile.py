"""What happens to an item while a worker is busy with it."""

from __future__ import annotations

import pytest

from tests.integration.coordinator.stage import Stage, in_background
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document
from tests.watching import Moment, PausedAt

MOMENTS: list[Moment] = [
    ("before", "extend"),
    ("after", "add_chunks"),
    ("before", "confirm"),
]


@pytest.fixture(params=MOMENTS, ids=" ".join)
def pause(request: pytest.FixtureRequest) -> PausedAt:
    return PausedAt(request.param)


def test_a_rewrite_is_indexed_right_after_the_worker_that_it_overtook(
    stage: Stage, pause: PausedAt
) -> None:
    """At once: nobody waits for the overtaken worker's lease to run out."""
    document = a_document(stage.transactions, stage.owner, "As it was.")
    busy = in_background(stage.relay(announce=pause))
    pause.wait()
    stage.documents.change(stage.owner, document.id, {"text": "As it is.\n\nNow."})
    pause.go_on()
    assert busy.result(20).parked == 0
    assert stage.converge().settled == 1
    assert stage.entry(document.id).attempts == 0
    stage.assert_in_step()


def test_a_deletion_is_carried_out_right_after_the_worker_that_it_overtook(
    stage: Stage, pause: PausedAt
) -> None:
    document = a_document(stage.transactions, stage.owner, "As it was.")
    busy = in_background(stage.relay(announce=pause))
    pause.wait()
    stage.documents.remove(stage.owner, document.id)
    pause.go_on()
    assert busy.result(20).parked == 0
    assert stage.converge().removed == 1
    assert stage.rows(CHUNKS, document.id) == stage.rows(PROCESSED, document.id) == []
    stage.assert_in_step()


def test_a_worker_that_knows_that_it_was_overtaken_does_not_write(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, "As it was.")
    pause = PausedAt(("before", "extend"))
    reached: list[Moment] = []

    def announce(moment: Moment) -> None:
        reached.append(moment)
        pause(moment)

    busy = in_background(stage.relay(announce=announce))
    pause.wait()
    stage.documents.change(stage.owner, document.id, {"text": "As it is."})
    pause.go_on()
    busy.result(20)
    assert ("before", "add_chunks") not in reached


def test_an_overtaken_item_holds_up_none_of_its_batch(stage: Stage, pause: PausedAt) -> None:
    rewritten = a_document(stage.transactions, stage.owner, "As it was.")
    deleted = a_document(stage.transactions, stage.owner, "Here for now.")
    others = [a_document(stage.transactions, stage.owner, f"Number {n}.") for n in range(3)]
    busy = in_background(stage.relay(announce=pause))
    pause.wait()
    stage.documents.change(stage.owner, rewritten.id, {"title": "Another title"})
    stage.documents.remove(stage.owner, deleted.id)
    pause.go_on()
    busy.result(20)
    assert {stage.entry(one.id).state for one in others} == {"settled"}
    assert {stage.entry(one.id).state for one in (rewritten, deleted)} == {"due"}
    stage.converge()
    stage.assert_in_step()


def test_an_item_deleted_between_its_lease_and_its_reading_is_removed(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    pause = PausedAt(("after", "lease"))
    busy = in_background(stage.relay(announce=pause))
    pause.wait()
    stage.documents.remove(stage.owner, document.id)
    pause.go_on()
    assert busy.result(20).settled == 0
    assert stage.converge().removed == 1
    stage.assert_in_step()
