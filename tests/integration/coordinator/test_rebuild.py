"""Rebuild: the vector store made anew in fresh tables, whatever became of the old ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.coordinator.agreement import Agreement
from atom_backend.domain.generations import Pointer
from atom_backend.errors import (
    ConfigurationError,
    DependencyError,
    EmbedderUnavailable,
    VectorStoreUnavailable,
)
from tests.conftest import STORE_ID
from tests.deterministic import DIMENSION, indexer, refuse_poison
from tests.integration.coordinator.rebuilding import (
    HALF,
    AtOccurrence,
    contents,
    half_indexer,
    kill,
    rebuild,
    rebuild_and_be_killed,
)
from tests.integration.coordinator.stage import Stage
from tests.invariants import (
    CHUNKS,
    PROCESSED,
    active_name,
    assert_in_step,
    out_of_step,
    rows_by_item,
)
from tests.making import a_document
from tests.stores import open_generations, open_store
from tests.watching import Killed, Moment

POINTER = f"{CHUNKS}.current"


class Counted:
    """How many texts a model was given."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: Sequence[str]) -> None:
        self.texts += len(texts)


@pytest.fixture
def filled(stage: Stage) -> Stage:
    """Five settled documents of two chunks each."""
    for number in range(5):
        a_document(stage.transactions, stage.owner, f"Number {number}.\n\nAnd its second half.")
    stage.converge()
    return stage


def states(stage: Stage) -> dict[UUID, str]:
    return {row.item_id: row.state for row in stage.sql("select item_id, state from index_entries")}


def test_everything_is_made_anew_from_postgresql_and_nobody_has_to_do_it_again(
    filled: Stage,
) -> None:
    before = contents(filled.lance, [CHUNKS, PROCESSED])
    told: list[tuple[int, int]] = []
    report = rebuild(filled, progress=lambda done, total: told.append((done, total)))

    assert (report.generation, report.items, report.parked, report.refused) == (2, 5, 0, 0)
    assert report.repair is not None
    assert report.repair.drift.in_step
    assert active_name(filled.lance, CHUNKS) == f"{CHUNKS}_2"
    assert contents(filled.lance, [CHUNKS, PROCESSED]) == before, "the old tables are untouched"
    assert told[0] == (0, 5)
    assert told[-1] == (5, 5)
    assert not filled.converge().leased
    filled.assert_in_step()
    assert filled.check().run().in_step


def test_what_waits_is_rebuilt_too_and_what_is_parked_or_deleted_is_not(filled: Stage) -> None:
    owner = filled.owner
    parked = a_document(filled.transactions, owner, "This is poison.")
    filled.converge(filled.relay(refuse_poison))
    rewritten, deleted, *_ = [item for item in states(filled) if item != parked.id]
    filled.documents.change(owner, rewritten, {"text": "Rewritten.\n\nTwice."})
    filled.documents.remove(owner, deleted)
    created = a_document(filled.transactions, owner, "Brand new.")

    report = rebuild(filled)

    assert (report.items, report.parked, report.accepted) == (5, 1, 2)
    held = rows_by_item(filled.lance, PROCESSED).keys()
    assert held == states(filled).keys() - {parked.id, deleted}
    assert states(filled)[rewritten] == states(filled)[created.id] == "settled"
    filled.converge()
    filled.assert_in_step()


def test_a_rebuild_can_follow_another(filled: Stage) -> None:
    assert [rebuild(filled).generation for _ in range(3)] == [2, 3, 4]
    a_document(filled.transactions, filled.owner)
    filled.converge()
    filled.assert_in_step()


def test_an_empty_database_is_rebuilt_too(stage: Stage) -> None:
    assert rebuild(stage).items == 0
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.assert_in_step()


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(filled: Stage) -> None:
    files = {path: path.stat().st_mtime_ns for path in filled.lance.rglob("*")}
    record = filled.sql("select * from vector_store")
    entries = filled.sql("select * from index_entries order by 1")

    report = rebuild(filled, dry_run=True)

    assert str(report) == "Would write 5 items into generation 2; 0 parked items are left out."
    assert {path: path.stat().st_mtime_ns for path in filled.lance.rglob("*")} == files
    assert filled.sql("select * from vector_store") == record
    assert filled.sql("select * from index_entries order by 1") == entries


def lose(lance: Path) -> None:
    shutil.rmtree(lance)


def lose_a_table(lance: Path) -> None:
    shutil.rmtree(lance / f"{PROCESSED}.lance")


def damage_manifests(lance: Path) -> None:
    for manifest in lance.glob("*.lance/_versions/*"):
        manifest.write_bytes(b"?")


def damage_rows(lance: Path) -> None:
    for file in lance.glob("*.lance/data/*"):
        file.write_bytes(bytes(len(file.read_bytes())))


def damage_pointer(lance: Path) -> None:
    (lance / POINTER).write_bytes(b"?")


def lose_pointer(lance: Path) -> None:
    (lance / POINTER).unlink()


@pytest.mark.parametrize(
    "damage",
    [lose, lose_a_table, damage_manifests, damage_rows, damage_pointer, lose_pointer],
    ids=lambda damage: damage.__name__,
)
def test_a_store_that_is_lost_or_damaged_is_made_anew(
    filled: Stage, damage: Callable[[Path], None]
) -> None:
    damage(filled.lance)
    waiting = a_document(filled.transactions, filled.owner, "Written during the outage.")
    report = rebuild(filled)

    assert report.items == 6
    assert states(filled)[waiting.id] == "settled"
    assert not filled.converge().leased
    filled.assert_in_step()
    assert filled.sql("select store_id from vector_store") == [(STORE_ID,)]


def test_another_models_vectors_are_made_anew_and_only_once(filled: Stage) -> None:
    with pytest.raises(ConfigurationError, match="rebuild"):
        open_store(filled.lance, HALF).sizes()
    counted = Counted()
    report = rebuild(filled, using=half_indexer(counted), dimension=HALF)
    assert (report.items, report.accepted) == (5, 5)

    with filled.transactions.worker() as work:
        assert work.index.require_spec(half_indexer().spec) == 0
    assert counted.texts == 10
    assert_in_step(filled.sql, filled.lance, spec=half_indexer().spec)


def test_what_workers_of_another_model_could_not_write_needs_them_no_more(filled: Stage) -> None:
    """They made all of it due at their start, and then waited for tables that fit."""
    with filled.transactions.worker() as work:
        assert work.index.require_spec(half_indexer().spec) == 5
    assert rebuild(filled, using=half_indexer(), dimension=HALF).accepted == 5
    assert set(states(filled).values()) == {"settled"}
    assert_in_step(filled.sql, filled.lance, spec=half_indexer().spec)


def test_an_item_of_which_nothing_can_be_made_is_left_out_and_then_parked(filled: Stage) -> None:
    spoilt = a_document(filled.transactions, filled.owner, "It was no poison to the old model.")
    filled.converge()

    report = rebuild(filled, watch=refuse_poison)

    assert (report.items, report.refused) == (5, 1)
    filled.converge(filled.relay(refuse_poison))
    assert states(filled)[spoilt.id] == "parked"
    filled.assert_in_step()


def test_a_model_that_is_down_stops_the_rebuild_and_blames_no_item(filled: Stage) -> None:
    def down(texts: Sequence[str]) -> None:
        raise EmbedderUnavailable

    with pytest.raises(EmbedderUnavailable):
        rebuild(filled, watch=down)
    assert active_name(filled.lance, CHUNKS) == CHUNKS
    filled.assert_in_step()
    assert rebuild(filled).refused == 0
    filled.assert_in_step()


def test_only_one_process_rebuilds(filled: Stage) -> None:
    with filled.transactions.elected("rebuild LanceDB") as mine:
        assert mine
        with pytest.raises(DependencyError, match="Another process"):
            rebuild(filled)


def test_the_store_of_another_database_is_never_touched(filled: Stage) -> None:
    with closing(open_generations(filled.lance)) as generations:
        generations.point(Pointer(new_id(), 1))
    files = {path: path.stat().st_mtime_ns for path in filled.lance.rglob("*")}
    for dry_run in (True, False):
        with pytest.raises(VectorStoreUnavailable, match="another database"):
            rebuild(filled, dry_run=dry_run)
    assert {path: path.stat().st_mtime_ns for path in filled.lance.rglob("*")} == files


def test_what_another_model_or_damage_left_unfinished_is_thrown_away(filled: Stage) -> None:
    for using, dimension in ((half_indexer(), HALF), (indexer(), DIMENSION)):
        killed = AtOccurrence(("after", "add_processed"), 2, kill)
        with pytest.raises(Killed):
            rebuild(filled, killed, using=using, dimension=dimension)
    for file in filled.lance.glob("*_2.lance/data/*"):
        file.write_bytes(b"?")

    report = rebuild(filled)

    assert (report.generation, report.items) == (2, 5)
    filled.assert_in_step()


def test_an_interrupted_rebuild_goes_on_where_it_stopped(filled: Stage) -> None:
    counted = Counted()
    rebuild_and_be_killed(filled, AtOccurrence(("before", "add_chunks"), 3, kill))
    report = rebuild(filled, watch=counted)
    assert report.items == 1
    assert counted.texts == 2
    filled.assert_in_step()


MOMENTS: list[tuple[Moment, int]] = [
    (("after", "locked"), 1),
    (("after", "point"), 1),
    (("after", "make"), 1),
    (("after", "mark_census"), 1),
    (("after", "add_chunks"), 1),
    (("after", "add_processed"), 1),
    (("after", "add_processed"), 3),
    (("after", "maintain"), 1),
    (("after", "drop_items"), 1),
    (("before", "locked"), 2),
    (("after", "point"), 2),
    (("within", "write"), 1),
    (("after", "write"), 1),
    (("before", "point"), 3),
    (("after", "point"), 3),
    (("within", "accept"), 1),
    (("after", "accept"), 1),
]


@pytest.mark.parametrize(("moment", "number"), MOMENTS, ids=str)
def test_a_rebuild_that_is_killed_at_any_moment_loses_nothing_and_is_completed_by_the_next(
    filled: Stage, moment: Moment, number: int
) -> None:
    rewritten = next(iter(states(filled)))
    waiting = a_document(filled.transactions, filled.owner, "Due in an hour.")
    filled.sql("update index_entries set due_at = now() + '1 h' where state = 'due'")
    rewrite = AtOccurrence(
        ("after", "maintain"), 1, lambda _: _rewrite_and_settle(filled, rewritten)
    )
    killed = AtOccurrence(moment, number, kill)
    before = contents(filled.lance, [CHUNKS, PROCESSED])

    def announce(at: Moment) -> None:
        if at[1] == "maintain":
            rewrite(at)
        killed(at)

    rebuild_and_be_killed(filled, announce)

    assert killed.happened
    if not rewrite.happened:
        assert contents(filled.lance, [CHUNKS, PROCESSED]) == before
    _assert_settled_is_whole(filled)
    _agree(filled)
    late = a_document(filled.transactions, filled.owner, "Written after the kill.")
    filled.converge()
    faults = out_of_step(filled.sql, filled.lance)
    assert {fault for fault in faults if str(waiting.id) not in fault} == set()

    assert rebuild(filled).repair is not None
    filled.converge()
    filled.assert_in_step()
    held = rows_by_item(filled.lance, PROCESSED).keys()
    assert {waiting.id, rewritten, late.id} <= held


def _rewrite_and_settle(stage: Stage, item_id: UUID) -> None:
    stage.documents.change(stage.owner, item_id, {"text": "Meanwhile rewritten."})
    stage.converge()


def _assert_settled_is_whole(stage: Stage) -> None:
    settled = "select item_id, revision, chunk_count from index_entries where state = 'settled'"
    marks, chunks = (rows_by_item(stage.lance, table) for table in (PROCESSED, CHUNKS))
    for item_id, revision, chunk_count in stage.sql(settled):
        assert [row["revision"] for row in marks[item_id]] == [revision]
        assert [row["revision"] for row in chunks[item_id]] == [revision] * chunk_count


def _agree(stage: Stage) -> None:
    """What the next worker does."""
    with closing(open_generations(stage.lance)) as generations:
        Agreement(stage.transactions, generations).reach()
