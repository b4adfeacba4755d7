"""Searches, writes and deletions go on while the vector store is rebuilt, and notice nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import pytest

from atom_backend.coordinator import rebuild as rebuild_module
from atom_backend.coordinator.relay import RelayReport
from atom_backend.domain.search import Degraded, Leg
from tests.integration.coordinator.rebuilding import (
    AtOccurrence,
    kill,
    rebuild,
    rebuild_and_be_killed,
)
from tests.integration.coordinator.stage import Stage, in_background
from tests.integration.relational.racing import somebody_waits_for_a_lock, until
from tests.integration.services.searching import ask, found
from tests.invariants import CHUNKS, PROCESSED, rows_by_item
from tests.making import a_document
from tests.stores import open_generations
from tests.watching import Moment, PausedAt

QUERY = "harbour"


@dataclass
class Searches:
    """A user who searches without a pause.

    ``always``: what must be in every answer; ``without_lancedb``: it may come from PostgreSQL.
    """

    stage: Stage
    always: set[UUID]
    without_lancedb: bool = False
    gone: set[UUID] = field(default_factory=set)
    answers: int = 0
    degraded: int = 0
    faults: list[str] = field(default_factory=list)

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            gone = set(self.gone)
            answer = ask(self.stage, QUERY, limit=100)
            items = set(found(answer))
            whole = (set(answer.legs), answer.degraded) == ({Leg.VECTOR, Leg.TEXT}, ())
            waiting = (answer.legs, answer.degraded) == ((Leg.POSTGRESQL,), (Degraded.LANCEDB,))
            self.degraded += waiting
            if not whole and not (waiting and self.without_lancedb):
                self.faults.append(f"answered by {answer.legs}, without {answer.degraded}")
            if missed := self.always - items:
                self.faults.append(f"missed {missed}")
            if items & gone:
                self.faults.append(f"found {items & gone}, which was deleted")
            self.answers += 1


@contextmanager
def beside(stage: Stage, searches: Searches) -> Iterator[None]:
    """A worker and the searches, until the block ends."""
    stop = Event()

    def work() -> None:
        relay = stage.relay()
        while not stop.is_set():
            relay.run_once()
            stage.let_time_pass()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(searches.run, stop), pool.submit(work)]
        try:
            yield
        finally:
            stop.set()
            for each in running:
                each.result(30)


def test_searches_and_writes_go_on_during_rebuilds(stage: Stage) -> None:
    """What could be found before can be found at every moment; what was deleted cannot."""
    kept = [a_document(stage.transactions, stage.owner, f"The {QUERY} {n}.") for n in range(6)]
    doomed = [a_document(stage.transactions, stage.owner, f"A {QUERY} {n}.") for n in range(6)]
    stage.converge()
    searches = Searches(stage, {one.id for one in kept})
    edits = iter(range(1000))

    def disturb(moment: Moment) -> None:
        """At every write into the new tables: one document is changed and one deleted."""
        if moment not in {("before", "add_chunks"), ("before", "locked"), ("after", "maintain")}:
            return
        number = next(edits)
        changed = kept[number % len(kept)].id
        stage.documents.change(
            stage.owner, changed, {"text": f"The {QUERY}, edited {number} times."}
        )
        if doomed:
            last = doomed.pop().id
            stage.documents.remove(stage.owner, last)
            searches.gone.add(last)

    with beside(stage, searches):
        for _ in range(2):
            rebuild(stage, disturb)

    assert searches.faults == []
    assert searches.answers > 10
    assert len(searches.gone) == 6
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()


def test_searches_come_from_postgresql_while_a_lost_store_is_rebuilt_and_never_find_nothing(
    stage: Stage,
) -> None:
    kept = [a_document(stage.transactions, stage.owner, f"The {QUERY} {n}.") for n in range(6)]
    stage.converge()
    shutil.rmtree(stage.lance)
    searches = Searches(stage, {one.id for one in kept}, without_lancedb=True)

    with beside(stage, searches):
        a_document(stage.transactions, stage.owner, f"Written to no {QUERY}.")
        until(lambda: searches.degraded > 0)
        rebuild(stage)
        until(lambda: searches.answers > searches.degraded)

    assert searches.faults == []
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()


def test_what_is_settled_or_deleted_right_before_the_switch_is_put_right_by_it(
    stage: Stage,
) -> None:
    rewritten, deleted, _ = [
        a_document(stage.transactions, stage.owner, f"Number {n}.") for n in range(3)
    ]
    stage.converge()
    created: list[UUID] = []

    def settle(moment: Moment) -> None:
        stage.documents.change(stage.owner, rewritten.id, {"text": "Rewritten."})
        stage.documents.remove(stage.owner, deleted.id)
        created.append(a_document(stage.transactions, stage.owner, "Created.").id)
        stage.converge()

    held: list[set[UUID]] = []

    def look(moment: Moment) -> None:
        held.append(set(rows_by_item(stage.lance, PROCESSED)))

    late = AtOccurrence(("before", "locked"), 2, settle)
    switched = AtOccurrence(("after", "point"), 3, look)

    def announce(moment: Moment) -> None:
        late(moment)
        switched(moment)

    rebuild(stage, announce)

    assert late.happened
    wanted = {row.item_id for row in stage.sql("select item_id from index_entries")}
    assert held == [wanted], "at the very switch, and not only after the repair"
    assert created[0] in wanted
    assert deleted.id not in wanted
    assert not stage.converge().leased
    stage.assert_in_step()


def test_too_much_to_wait_for_is_brought_in_before_the_switch(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "_FEW", 1)
    documents = [a_document(stage.transactions, stage.owner, f"Number {n}.") for n in range(4)]
    stage.converge()
    looks: list[Moment] = []

    def settle(moment: Moment) -> None:
        for one in documents:
            stage.documents.change(stage.owner, one.id, {"text": "Rewritten."})
        stage.converge()

    late = AtOccurrence(("before", "locked"), 2, settle)

    def announce(moment: Moment) -> None:
        late(moment)
        if moment == ("before", "chunk_census"):
            looks.append(moment)

    rebuild(stage, announce)

    assert late.happened
    assert len(looks) > 2
    assert {
        row["revision"] for rows in rows_by_item(stage.lance, CHUNKS).values() for row in rows
    } == {2}
    stage.assert_in_step()


def test_a_confirmation_at_the_switch_waits_for_it_and_is_then_refused(stage: Stage) -> None:
    """Its rows are in the old tables: it must not count as done."""
    document = a_document(stage.transactions, stage.owner, "The old text.")
    stage.converge()
    stage.documents.change(stage.owner, document.id, {"text": "The new text."})
    confirming = PausedAt(("before", "hold"))
    working: list[Future[RelayReport]] = []

    def write(moment: Moment) -> None:
        working.append(in_background(stage.relay(announce=confirming)))
        confirming.wait()

    def confirm(moment: Moment) -> None:
        confirming.go_on()
        until(lambda: somebody_waits_for_a_lock(stage.sql))

    before = AtOccurrence(("before", "locked"), 2, write)
    amid = AtOccurrence(("after", "point"), 2, confirm)

    def announce(moment: Moment) -> None:
        before(moment)
        amid(moment)

    rebuild(stage, announce)

    assert before.happened
    assert amid.happened
    assert working[0].result(20).settled == 0
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()


def test_a_rebuild_that_starts_over_withdraws_what_the_last_one_announced(stage: Stage) -> None:
    """Else an older backup of PostgreSQL could make tables current that are half built."""
    a_document(stage.transactions, stage.owner)
    stage.converge()
    with closing(open_generations(stage.lance)) as generations:
        for moment, number in ((("after", "point"), 2), (("before", "add_chunks"), 1)):
            if moment[1] == "add_chunks":
                stage.sql("update items set content_revision = 2, revision = 2")
                stage.sql("update index_entries set revision = 2, state = 'due'")
            killed = AtOccurrence(moment, number, kill)
            rebuild_and_be_killed(stage, killed)
            assert killed.happened
            pointer = generations.pointer()
            assert pointer is not None
            assert pointer.ready == (moment[1] == "point")
