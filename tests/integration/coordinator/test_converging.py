"""The ordinary course: what is written is projected, what is changed replaced, what is deleted
removed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.index_state import IndexState
from atom_backend.domain.items import content_hash
from atom_backend.embedding.encoder import open_onnx
from tests.deterministic import BagOfWords, ParagraphChunker, indexer
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, assert_in_step
from tests.making import a_document
from tests.stores import open_store, prepare

MODELS = Path(__file__).resolve().parents[3] / ".atom" / "models"
THREE_PARAGRAPHS = "The tides follow the moon.\n\n  Spring tides: full moon.\n\nNeap tides: half."


def test_a_document_is_brought_to_its_revision(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, THREE_PARAGRAPHS)
    report = stage.converge()
    assert (report.leased, report.settled) == (1, 1)
    chunks = sorted(stage.rows(CHUNKS, document.id), key=lambda row: row["ordinal"])
    assert [THREE_PARAGRAPHS[row["start"] : row["end"]] for row in chunks] == [
        "The tides follow the moon.",
        "Spring tides: full moon.",
        "Neap tides: half.",
    ]
    (mark,) = stage.rows(PROCESSED, document.id)
    assert mark["content_hash"] == content_hash("Tides", THREE_PARAGRAPHS)
    assert stage.entry(document.id).spec == mark["spec"] == indexer().spec
    assert stage.documents.get(stage.owner, document.id).index_state is IndexState.INDEXED
    stage.assert_in_step()


def test_a_changed_document_replaces_all_that_was_there(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, THREE_PARAGRAPHS)
    stage.converge()
    stage.documents.change(stage.owner, document.id, {"text": "Only one is left."})
    assert stage.converge().settled == 1
    assert [row["revision"] for row in stage.rows(CHUNKS, document.id)] == [2]
    stage.assert_in_step()


def test_a_deleted_document_leaves_nothing_behind(stage: Stage) -> None:
    kept = a_document(stage.transactions, stage.owner, "This one stays.")
    gone = a_document(stage.transactions, stage.owner, THREE_PARAGRAPHS)
    stage.converge()
    stage.documents.remove(stage.owner, gone.id)
    assert stage.converge().removed == 1
    assert stage.rows(CHUNKS, gone.id) == stage.rows(PROCESSED, gone.id) == []
    assert stage.sql("select item_id from index_entries") == [(kept.id,)]
    stage.assert_in_step()


def test_a_document_deleted_before_it_was_ever_indexed_leaves_no_tombstone(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.documents.remove(stage.owner, document.id)
    assert stage.converge().removed == 1
    assert stage.sql("select * from index_entries") == []


def test_what_does_not_change_the_content_is_not_indexed_again(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    changes = {"tags": ("sea",), "metadata": {"read": True}}
    assert stage.documents.change(stage.owner, document.id, changes).revision == 2
    assert stage.converge().leased == 0
    stage.assert_in_step()


def test_a_queue_longer_than_a_batch_is_emptied_batch_by_batch(stage: Stage) -> None:
    for number in range(10):
        a_document(stage.transactions, stage.owner, f"Number {number}.")
    report = stage.relay(batch=4).run_once()
    assert (report.leased, report.settled) == (4, 4)
    assert stage.converge(stage.relay(batch=4)).settled == 6
    stage.assert_in_step()


def test_what_another_model_made_is_made_again(stage: Stage) -> None:
    a_document(stage.transactions, stage.owner)
    stage.converge()
    newer = Indexer(ParagraphChunker(), BagOfWords(fingerprint="bag-of-words-2"))
    with stage.transactions.worker() as work:
        assert work.index.require_spec(newer.spec) == 1
    assert stage.converge(stage.relay(using=newer)).settled == 1
    assert_in_step(stage.sql, stage.lance, spec=newer.spec)


def test_the_real_model_brings_both_stores_into_step(stage: Stage, tmp_path: Path) -> None:
    encoder = open_onnx(MODELS, model=None, threads=2)
    real = Indexer(encoder.chunker, encoder.embedder)
    lance = prepare(tmp_path / "real", encoder.embedder.dimension)
    long = " ".join(
        f"Sentence {number} says that the tides follow the moon." for number in range(80)
    )
    document = a_document(stage.transactions, stage.owner, long)
    gone = a_document(stage.transactions, stage.owner, "This one goes.")
    with closing(open_store(lance, encoder.embedder.dimension)) as vectors:
        there = Stage(stage.transactions, vectors, lance, stage.sql, stage.owner)
        there.converge(there.relay(using=real))
        assert there.entry(document.id).chunk_count > 1
        there.documents.remove(there.owner, gone.id)
        there.documents.change(there.owner, document.id, {"title": "Moon and sea"})
        there.converge(there.relay(using=real))
        assert_in_step(there.sql, lance, spec=real.spec)
