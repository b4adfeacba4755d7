"""A worker that was paused past its lease and wakes up while another is at work (I8).

Whoever wakes up after that, and real processes: ``tests/faults/effects/test_sleeping.py``.
"""

from __future__ import annotations

from atom_backend.domain.resources.rules import Record
from atom_backend.errors import VectorStoreUnavailable
from tests.integration.coordinator.stage import Stage, in_background
from tests.invariants import CHUNKS
from tests.making import a_document
from tests.watching import Killed, Moment, PausedAt


def rewrite(stage: Stage, document: Record) -> None:
    changes = {"text": "Rewritten.\n\nTwice.\n\nThrice.\n\nNow four."}
    stage.documents.change(stage.owner, document.id, changes)


def delete(stage: Stage, document: Record) -> None:
    stage.documents.remove(stage.owner, document.id)


def test_two_workers_at_once_leave_each_item_once(stage: Stage) -> None:
    pause = PausedAt(("before", "drop_older"))
    for number in range(6):
        a_document(stage.transactions, stage.owner, f"Number {number}.\n\nIn two parts.")
    first = in_background(stage.relay(announce=pause, batch=3))
    pause.wait()
    assert stage.converge().settled == 3
    pause.go_on()
    assert first.result(20).settled == 3
    stage.assert_in_step()


def test_a_late_worker_does_not_remove_what_its_successor_is_adding(stage: Stage) -> None:
    a_document(stage.transactions, stage.owner, "As it was.\n\nIn two parts.")
    early, successor = PausedAt(("before", "drop_older")), PausedAt(("before", "confirm"))
    late = in_background(stage.relay(announce=early))
    early.wait()
    stage.expire_leases()
    present = in_background(stage.relay(announce=successor))
    successor.wait()
    early.go_on()
    late.result(20)
    successor.go_on()
    assert present.result(20).settled == 1
    stage.assert_in_step()


def test_a_late_workers_failure_costs_the_present_one_nothing(stage: Stage) -> None:
    """The late one postpones, under a fence that is not current any more."""
    document = a_document(stage.transactions, stage.owner)
    pause = PausedAt(("before", "add_chunks"))

    def pause_and_fail(moment: Moment) -> None:
        pause(moment)
        if moment == ("before", "add_processed"):
            raise VectorStoreUnavailable

    late = in_background(stage.relay(announce=pause_and_fail))
    pause.wait()
    stage.expire_leases()
    held = PausedAt(("before", "add_chunks"))
    present = in_background(stage.relay(announce=held))
    held.wait()
    before = stage.entry(document.id)
    pause.go_on()
    assert late.result(20).postponed == 0
    assert stage.entry(document.id) == before
    held.go_on()
    assert present.result(20).settled == 1
    stage.assert_in_step()


def test_a_tombstone_stays_as_long_as_a_late_worker_can_still_be_seen_writing(
    stage: Stage,
) -> None:
    document = a_document(stage.transactions, stage.owner)
    writing, removing = PausedAt(("before", "add_chunks")), PausedAt(("after", "drop_items"))

    def write_and_die(moment: Moment) -> None:
        writing(moment)
        if moment == ("after", "add_chunks"):
            raise Killed

    late = in_background(stage.relay(announce=write_and_die))
    writing.wait()
    delete(stage, document)
    stage.expire_leases()
    remover = in_background(stage.relay(announce=removing))
    removing.wait()
    writing.go_on()
    assert isinstance(late.exception(20), Killed)
    removing.go_on()
    assert remover.result(20).removed == 0
    stage.expire_leases()
    assert stage.converge().removed == 1
    stage.assert_in_step()


def test_what_a_killed_late_worker_leaves_goes_with_the_next_write(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    pause = PausedAt(("before", "add_chunks"))

    def pause_and_die(moment: Moment) -> None:
        pause(moment)
        if moment == ("before", "confirm"):
            raise Killed

    late = in_background(stage.relay(announce=pause_and_die))
    pause.wait()
    stage.expire_leases()
    stage.converge()
    pause.go_on()
    assert isinstance(late.exception(20), Killed)
    assert len(stage.rows(CHUNKS, document.id)) == 2
    rewrite(stage, document)
    stage.converge()
    stage.assert_in_step()
