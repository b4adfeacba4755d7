"""A worker is killed right after every effect that it has, which is right before the next one.

Whatever it leaves behind, the next worker, once the leases have run out, ends with both stores
exactly in step: three items are new, one is rewritten, one is deleted.
"""

from __future__ import annotations

import pytest

from atom_backend.domain.documents import DocumentChanges
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, rows_by_item
from tests.making import a_document
from tests.watching import KilledAt, Moment

EFFECTS = [
    "lease",
    "drop_items",
    "holding",
    "purge",
    "extend",
    "add_chunks",
    "add_processed",
    "drop_older",
    "confirm",
]
MOMENTS: list[Moment] = [("after", effect) for effect in EFFECTS]


def prepare_work(stage: Stage) -> None:
    rewritten = a_document(stage.transactions, stage.owner, "Old one.\n\nOld two.\n\nOld three.")
    deleted = a_document(stage.transactions, stage.owner, "This one goes.\n\nAll of it.")
    a_document(stage.transactions, stage.owner, "This one stays as it is.")
    stage.converge()
    stage.documents.change(stage.owner, rewritten.id, DocumentChanges(text="New.\n\nShorter."))
    stage.documents.remove(stage.owner, deleted.id)
    for number in range(3):
        a_document(stage.transactions, stage.owner, f"New {number}.\n\nWith two paragraphs.")


def assert_settled_is_whole(stage: Stage) -> None:
    settled = "select item_id, revision, chunk_count from index_entries where state = 'settled'"
    marks, chunks = (rows_by_item(stage.lance, table) for table in (PROCESSED, CHUNKS))
    for item_id, revision, chunk_count in stage.sql(settled):
        assert [row["revision"] for row in marks[item_id]] == [revision]
        assert [row["revision"] for row in chunks[item_id]] == [revision] * chunk_count


@pytest.mark.parametrize("moment", MOMENTS, ids=" ".join)
def test_a_worker_killed_at_any_moment_is_made_good_by_the_next(
    stage: Stage, moment: Moment
) -> None:
    prepare_work(stage)
    killed = KilledAt(moment)
    stage.run_and_be_killed(killed)
    assert killed.happened
    assert_settled_is_whole(stage)
    stage.expire_leases()
    stage.converge()
    stage.assert_in_step()


def test_a_worker_killed_again_and_again_is_made_good(stage: Stage) -> None:
    prepare_work(stage)
    for moment in (("after", "add_processed"), ("before", "confirm"), ("after", "purge")):
        stage.run_and_be_killed(KilledAt(moment))
        stage.expire_leases()
    stage.converge()
    stage.assert_in_step()
