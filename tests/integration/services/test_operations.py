"""What an operator is shown: how far the index is behind, what is parked and why."""

from __future__ import annotations

import pytest

from atom_backend.services.operations import Operations
from tests.deterministic import refuse_poison
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import overwrite_manifests
from tests.making import a_document


def test_the_status_counts_every_state_and_says_why_things_are_parked(stage: Stage) -> None:
    operations = Operations(stage.transactions, stage.vectors)
    settled = a_document(stage.transactions, stage.owner, "Good.\n\nIn two parts.")
    poisoned = a_document(stage.transactions, stage.owner, "Some poison.")
    stage.converge(stage.relay(refuse_poison))
    gone = a_document(stage.transactions, stage.owner)
    stage.documents.remove(stage.owner, gone.id)
    waiting = a_document(stage.transactions, stage.owner)
    status = operations.status()
    assert (status.index.settled, status.index.parked, status.index.tombstones) == (1, 1, 1)
    assert (status.index.due, status.index.leased) == (2, 0)
    assert status.index.lag_seconds > 0
    assert status.parked == ((poisoned.id, stage.entry(poisoned.id).reason),)
    assert status.vector_rows == {"document_chunks": 2, "processed_documents": 1}
    assert {"documents", "index_entries"} <= status.relational_rows.keys()
    stage.converge()
    assert operations.statistics().lag_seconds == 0
    assert {settled.id, waiting.id} == {
        row.item_id for row in stage.sql("select * from index_entries where state = 'settled'")
    }


def test_a_vector_store_that_is_gone_has_no_sizes(stage: Stage) -> None:
    a_document(stage.transactions, stage.owner)
    stage.lance.rename(stage.lance.with_name("hidden"))
    status = Operations(stage.transactions, stage.vectors).status()
    assert (status.vector_rows, status.index.due) == (None, 1)


@pytest.mark.parametrize("content", [bytes(100), b"garbage" * 100], ids=["zeroed", "overwritten"])
def test_a_vector_store_that_is_damaged_has_no_sizes(stage: Stage, content: bytes) -> None:
    overwrite_manifests(stage.lance, content)
    assert Operations(stage.transactions, stage.vectors).status().vector_rows is None
