"""Repair beside others, interrupted, and after one of the stores was put back from a backup."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import lancedb
import pytest

from atom_backend.domain.comparison import UNUSABLE_FENCE
from atom_backend.domain.drift import Drift
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import DependencyError
from tests.integration.coordinator.damage import change, seal
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document
from tests.watching import Killed, KilledAt, Moment

STRANGER = uuid4()
LOOKED: Moment = ("after", "sources")
LOOKS = 5
"""Into PostgreSQL, before a repair acts: at everything, and twice before and after the rows."""


@pytest.fixture
def damaged(stage: Stage) -> dict[str, UUID]:
    """Items that a repair treats in every way it has, by what is wrong with them."""
    wrong = ["missing", "foreign", "outranked", "entryless", "homeless", "right"]
    made = {
        name: a_document(stage.transactions, stage.owner, f"About {name}.\n\nMore.").id
        for name in wrong
    }
    stage.converge()
    stage.vectors.drop_items([made["missing"]])
    for table in (CHUNKS, PROCESSED):
        rows = lancedb.connect(stage.lance).open_table(table)
        which = {name: f"document_id = X'{one.hex}'" for name, one in made.items()}
        change(which["foreign"], "owner_id", STRANGER.bytes)(rows)
        change(which["outranked"], "fence", UNUSABLE_FENCE + 3)(rows)
        strangers = rows.search().where(which["right"]).to_arrow()
        change(which["right"], "document_id", STRANGER.bytes)(rows)
        rows.add(strangers)
        seal(rows)
    stage.sql("delete from index_entries where item_id = :id", id=made["entryless"])
    stage.sql("delete from items where id = :id", id=made["homeless"])
    return made


def repaired(stage: Stage) -> None:
    stage.repair().run()
    stage.expire_leases()
    stage.converge()
    stage.assert_in_step()
    assert stage.check().run().in_step
    assert stage.repair().run().requeued == 0


def test_everything_at_once_is_repaired_and_what_is_right_is_left_alone(
    stage: Stage, damaged: dict[str, UUID]
) -> None:
    before = stage.entry(damaged["right"])
    report = stage.repair().run()
    assert (report.requeued, report.pruned) == (5, 3)
    assert report.drift.counts == {
        Drift.MISSING: 2,
        Drift.STALE: 1,
        Drift.ORPHANED: 2,
        Drift.FOREIGN: 1,
    }
    assert stage.entry(damaged["right"]) == before
    repaired(stage)


@pytest.mark.usefixtures("damaged")
def test_foreign_and_unknown_rows_are_gone_before_any_worker_runs(stage: Stage) -> None:
    stage.repair().run()
    assert stage.rows(CHUNKS, STRANGER) == stage.rows(PROCESSED, STRANGER) == []
    for table in (CHUNKS, PROCESSED):
        rows = lancedb.connect(stage.lance).open_table(table).to_arrow().to_pylist()
        assert {row["owner_id"] for row in rows} == {stage.owner.user_id.bytes}
        assert max(row["fence"] for row in rows) < UNUSABLE_FENCE


EFFECTS = ["outrank", "reconcile", "requeue", "drop_foreign", "drop_fence", "drop_items"]
MOMENTS: list[Moment] = [(when, one) for one in EFFECTS for when in ("before", "after")]


@pytest.mark.usefixtures("damaged")
def test_a_repair_killed_at_any_moment_is_finished_by_the_next(stage: Stage) -> None:
    for moment in MOMENTS:
        killed = KilledAt(moment)
        with suppress(Killed):
            stage.repair(killed).run()
    repaired(stage)


@pytest.mark.parametrize("moment", MOMENTS[::2], ids=" ".join)
@pytest.mark.usefixtures("damaged")
def test_workers_that_run_in_the_midst_of_a_repair_do_no_harm(
    stage: Stage, moment: Moment, damaged: dict[str, UUID]
) -> None:
    reached: list[Moment] = []

    def announce(at: Moment) -> None:
        if at == moment and not reached:
            reached.append(at)
            for name in ("missing", "right", "outranked"):
                changes = {"text": f"Rewritten, {name}."}
                stage.documents.change(stage.owner, damaged[name], changes)
            stage.converge()

    stage.repair(announce).run()
    assert reached
    repaired(stage)


def test_one_process_repairs_at_a_time(stage: Stage) -> None:
    with stage.transactions.elected("repair") as mine:
        assert mine
        with pytest.raises(DependencyError) as refused:
            stage.repair().run()
        assert refused.value.code == "repair_under_way"
        assert stage.check().run().in_step
    assert stage.repair().run().drift.in_step


def test_rows_of_an_item_that_turns_up_meanwhile_are_not_pruned(stage: Stage) -> None:
    """It cannot happen, unless PostgreSQL is put back from a backup in the midst of a repair."""
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    for table in ("index_entries", "items"):
        stage.sql(f"create table kept_{table} as select * from {table}")
        stage.sql(f"delete from {table}")

    def put_back(moment: Moment) -> None:
        looks.append(moment)
        if looks.count(LOOKED) == LOOKS and moment == LOOKED:
            stage.sql("insert into index_entries select * from kept_index_entries")

    looks: list[Moment] = []
    report = stage.repair(put_back).run()
    assert report.drift.counts == {Drift.ORPHANED: 1}
    assert len(stage.rows(CHUNKS, document.id)) == 1


Setback = Callable[[Stage, Path], None]


def lancedb_of_yesterday(stage: Stage, yesterday: Path) -> None:
    shutil.rmtree(stage.lance)
    yesterday.rename(stage.lance)


def postgresql_of_yesterday(stage: Stage, _: Path) -> None:
    """LanceDB now holds what PostgreSQL knows nothing of, under fences that it will draw again."""
    for table in ("index_entries", "items"):
        stage.sql(f"delete from {table}")
    columns = ", ".join(
        row[0]
        for row in stage.sql(
            "select column_name from information_schema.columns where table_name = 'items'"
            " and is_generated = 'NEVER'"
        )
    )
    stage.sql(f"insert into items ({columns}) select {columns} from old_items")
    stage.sql("insert into documents select * from old_documents")
    stage.sql("insert into index_entries select * from old_index_entries")
    stage.sql("select setval('lease_fence', (select max(fence) from index_entries))")


@pytest.mark.parametrize("set_back", [lancedb_of_yesterday, postgresql_of_yesterday])
def test_a_store_put_back_from_a_backup_is_brought_into_step(
    stage: Stage, tmp_path: Path, set_back: Setback
) -> None:
    kept, changed, deleted = (
        a_document(stage.transactions, stage.owner, f"Number {n}.\n\nMore.") for n in range(3)
    )
    stage.converge()
    yesterday = Path(shutil.copytree(stage.lance, tmp_path / "yesterday"))
    for table in ("index_entries", "items", "documents"):
        stage.sql(f"create table old_{table} as select * from {table}")
    for number in range(4):
        stage.documents.change(stage.owner, changed.id, {"text": f"Draft {number}."})
        stage.converge()
    stage.documents.remove(stage.owner, deleted.id)
    a_document(stage.transactions, stage.owner, "Of today.")
    stage.converge()
    set_back(stage, yesterday)
    if set_back is postgresql_of_yesterday:
        # What is written before anybody repairs draws fences that rows in LanceDB carry already.
        stage.documents.change(stage.owner, kept.id, {"text": "Since then."})
        stage.converge()
    report = stage.check().run()
    assert report.counts
    assert kept.id not in {one.item_id for one in report.examples}
    repaired(stage)
    stage.documents.change(stage.owner, changed.id, {"text": "And on it goes."})
    stage.converge()
    stage.assert_in_step()


@pytest.fixture
def outranked(stage: Stage) -> Record:
    """A settled document whose rows carry a fence that has yet to be drawn."""
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    for table in (CHUNKS, PROCESSED):
        rows = lancedb.connect(stage.lance).open_table(table)
        change(None, "fence", 7_000_000)(rows)
        seal(rows)
    return document


@pytest.mark.usefixtures("outranked")
def test_a_worker_that_is_quicker_than_the_repair_outranks_what_is_there(stage: Stage) -> None:
    def work(moment: Moment) -> None:
        if moment == ("after", "requeue"):
            assert stage.converge().settled == 1

    assert stage.repair(work).run().requeued == 1
    stage.assert_in_step()


def test_what_is_due_outranks_whatever_lancedb_holds_of_it(stage: Stage, outranked: Record) -> None:
    stage.documents.change(stage.owner, outranked.id, {"text": "Rewritten."})
    report = stage.repair().run()
    assert (report.drift.in_step, report.drift.in_flight) == (True, 1)
    stage.converge()
    stage.assert_in_step()


def test_what_is_found_under_another_spec_is_made_anew(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.sql("update index_entries set spec = 'of another model'")
    assert stage.check().run().counts == {Drift.WRONG_SPEC: 1}
    repaired(stage)
    assert stage.entry(document.id).spec != "of another model"
