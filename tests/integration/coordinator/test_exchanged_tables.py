"""The tables are exchanged while a worker is in the midst of its work.

What it wrote into the tables of before is never confirmed: it is due again at once, and is then
written into the new ones. What stands in the new ones is not touched by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from atom_backend.coordinator.succession import Succession
from atom_backend.domain.generations import REBUILT
from atom_backend.domain.items import Source
from atom_backend.vectors.generations import LanceGenerations
from tests.deterministic import indexer
from tests.integration.coordinator.stage import Stage, in_background
from tests.invariants import CHUNKS, PROCESSED, rows_by_item
from tests.making import a_document
from tests.stores import open_generations, open_store
from tests.watching import Moment, PausedAt

WRITING: list[Moment] = [
    ("after", "lease"),
    ("after", "generation"),
    ("after", "extend"),
    ("after", "add_chunks"),
    ("after", "add_processed"),
    ("after", "drop_older"),
]
REMOVING: list[Moment] = [
    ("before", "drop_items"),
    ("after", "drop_items"),
    ("after", "holding"),
]


@pytest.fixture
def generations(stage: Stage) -> Iterator[LanceGenerations]:
    with closing(open_generations(stage.lance)) as opened:
        yield opened


def sources(stage: Stage) -> list[Source]:
    """What PostgreSQL has now."""
    items = [row.id for row in stage.sql("select id from items")]
    with stage.transactions.worker() as work:
        return list(work.sources(items).values())


def exchange(stage: Stage, generations: LanceGenerations, filling: Sequence[Source]) -> None:
    """Make the next generation, as a rebuild does, and switch to it."""
    succession = Succession(stage.transactions, generations)
    successor = succession.begin()
    generations.make(successor.number)
    projections = indexer().project(filling, lambda: None)
    with closing(open_store(stage.lance, building=successor.number)) as building:
        building.add_chunks(projections, REBUILT)
        building.add_processed(projections, REBUILT)
    assert succession.switch(successor, lambda: True)


def assert_settled_is_whole(stage: Stage) -> None:
    settled = "select item_id, revision, chunk_count from index_entries where state = 'settled'"
    marks, chunks = (rows_by_item(stage.lance, table) for table in (PROCESSED, CHUNKS))
    for item_id, revision, chunk_count in stage.sql(settled):
        assert [row["revision"] for row in marks[item_id]] == [revision]
        assert [row["revision"] for row in chunks[item_id]] == [revision] * chunk_count


@pytest.mark.parametrize("moment", WRITING, ids=" ".join)
def test_a_write_that_an_exchange_overtakes_is_done_again_in_the_new_tables(
    stage: Stage, generations: LanceGenerations, moment: Moment
) -> None:
    rewritten = a_document(stage.transactions, stage.owner, "Old one.\n\nOld two.\n\nOld three.")
    stage.converge()
    exchange(stage, generations, before := sources(stage))
    stage.documents.change(stage.owner, rewritten.id, {"text": "New.\n\nShorter."})
    created = a_document(stage.transactions, stage.owner, "Created.\n\nWith two paragraphs.")
    paused = PausedAt(moment)
    working = in_background(stage.relay(announce=paused))
    paused.wait()
    exchange(stage, generations, before)
    paused.go_on()
    report = working.result(20)

    assert_settled_is_whole(stage)
    if not report.settled:
        fences = {row["fence"] for row in stage.rows(CHUNKS, rewritten.id)}
        assert fences == {REBUILT}, "what was rebuilt is left alone"
    for item in (rewritten, created):
        assert stage.entry(item.id).attempts == 0, "an exchange is no failure of the item"
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()


@pytest.mark.parametrize("moment", REMOVING, ids=" ".join)
def test_a_deletion_that_an_exchange_overtakes_is_done_again_in_the_new_tables(
    stage: Stage, generations: LanceGenerations, moment: Moment
) -> None:
    """The new tables were filled before the deletion, so they do hold the item."""
    document = a_document(stage.transactions, stage.owner, "To go.\n\nAll of it.")
    stage.converge()
    before = sources(stage)
    stage.documents.remove(stage.owner, document.id)
    paused = PausedAt(moment)
    working = in_background(stage.relay(announce=paused))
    paused.wait()
    exchange(stage, generations, before)
    paused.go_on()
    working.result(20)

    assert stage.entry(document.id).deleted, "the tombstone outlives the exchange"
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()
    assert not stage.rows(CHUNKS, document.id)


def test_a_lease_from_before_an_exchange_outranks_what_was_rebuilt_after_it(
    stage: Stage, generations: LanceGenerations
) -> None:
    """The rebuild wrote its rows after the worker drew its fence, and yet they give way."""
    document = a_document(stage.transactions, stage.owner, "One.\n\nTwo.")
    paused = PausedAt(("after", "lease"))
    working = in_background(stage.relay(announce=paused))
    paused.wait()
    exchange(stage, generations, sources(stage))
    paused.go_on()
    assert working.result(20).settled == 1
    assert stage.entry(document.id).state == "settled"
    stage.assert_in_step()
