"""Writing: rows carry their fence, and whoever came late can be told from its successor."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import lancedb
import numpy as np
import pytest

from atom_backend.domain.items import Projection
from atom_backend.domain.principals import OwnerScope
from atom_backend.errors import RefusedVector, StoredDataError
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.making import CHUNKS, PROCESSED, project, put, unit_vectors


def fences(folder: Path, table: str) -> list[int]:
    """The fence of every stored row."""
    rows = lancedb.connect(folder).open_table(table).search().select(["fence"]).to_list()
    return sorted(row["fence"] for row in rows)


def version(folder: Path, table: str) -> int:
    return int(lancedb.connect(folder).open_table(table).version)


def stored(store: LanceVectorStore, projection: Projection) -> object:
    return store.chunks(OwnerScope(projection.owner_id), projection.item_id)


def test_what_was_stored_is_given_back_chunk_by_chunk(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4(), ["one\n", "two\n", "three"], revision=3, title="Numbers\n")
    put(store, [projection])

    assert stored(store, projection) == (3, list(projection.chunks))


def test_the_processed_row_says_what_was_projected(store: LanceVectorStore, folder: Path) -> None:
    projection = project(uuid.uuid4(), revision=5)
    put(store, [projection], fence=9)

    (row,) = lancedb.connect(folder).open_table(PROCESSED).search().to_list()

    assert row["document_id"] == projection.item_id.bytes
    assert (row["revision"], row["fence"], row["chunk_count"]) == (5, 9, 2)
    assert (row["content_hash"], row["spec"]) == (projection.content_hash, projection.spec)
    assert row["embedding"] == projection.embedding.tolist()


def test_a_newer_fence_replaces_the_rows_of_an_older_one(
    store: LanceVectorStore, folder: Path
) -> None:
    old = project(uuid.uuid4(), ["old ", "text ", "here"])
    new = project(old.owner_id, ["new text"], item_id=old.item_id, revision=2)
    put(store, [old], fence=4)
    put(store, [new], fence=6)

    assert stored(store, old) == (2, list(new.chunks))
    assert fences(folder, CHUNKS) == fences(folder, PROCESSED) == [6]


def test_between_adding_and_dropping_the_newest_revision_is_the_one_that_is_read(
    store: LanceVectorStore,
) -> None:
    old = project(uuid.uuid4(), ["old ", "text"])
    new = project(old.owner_id, ["new"], item_id=old.item_id, revision=2)
    store.add_chunks([new], 6)
    store.add_chunks([old], 5)

    assert stored(store, old) == (2, list(new.chunks))


def test_what_a_late_worker_added_can_be_undone_without_touching_anyone_elses_rows(
    store: LanceVectorStore, folder: Path
) -> None:
    projection = project(uuid.uuid4())
    for fence in (8, 7, 6):
        store.add_chunks([projection], fence)
        store.add_processed([projection], fence)

    store.drop_fence([projection.item_id], 7)

    assert fences(folder, CHUNKS) == [6, 6, 8, 8]
    assert fences(folder, PROCESSED) == [6, 8]


def test_a_late_worker_cannot_remove_what_its_successor_wrote(
    store: LanceVectorStore, folder: Path
) -> None:
    projection = project(uuid.uuid4())
    put(store, [projection], fence=8)

    store.drop_older([projection.item_id], 7)

    assert fences(folder, CHUNKS) == [8, 8]
    assert fences(folder, PROCESSED) == [8]


def test_dropping_concerns_only_the_named_items(store: LanceVectorStore) -> None:
    owner = uuid.uuid4()
    gone, kept = project(owner), project(owner)
    put(store, [gone, kept])

    store.drop_items([gone.item_id])
    store.drop_older([gone.item_id], 99)
    store.drop_fence([gone.item_id], 1)

    assert store.holding([gone.item_id, kept.item_id]) == {kept.item_id}
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


def test_an_item_is_held_as_long_as_either_table_knows_it(store: LanceVectorStore) -> None:
    only_chunks, only_mark = project(uuid.uuid4()), project(uuid.uuid4())
    store.add_chunks([only_chunks], 1)
    store.add_processed([only_mark], 1)
    both = [only_chunks.item_id, only_mark.item_id]

    assert store.holding([*both, uuid.uuid4()]) == set(both)
    store.drop_items(both)
    assert store.holding(both) == set()


def test_dropping_what_is_not_there_leaves_no_new_version(
    store: LanceVectorStore, folder: Path
) -> None:
    put(store, [project(uuid.uuid4())])
    before = version(folder, CHUNKS), version(folder, PROCESSED)

    store.drop_items([uuid.uuid4()])
    store.drop_items([])

    assert (version(folder, CHUNKS), version(folder, PROCESSED)) == before


def test_more_items_than_fit_one_filter_are_dropped_and_looked_up(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4())
    put(store, [projection])
    many = [*(uuid.uuid4() for _ in range(6_000)), projection.item_id]

    assert store.holding(many) == {projection.item_id}
    store.drop_items(many)
    assert store.holding(many) == set()


def test_an_item_without_text_has_a_revision_and_no_chunks(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4(), [], revision=4)
    put(store, [projection])

    assert stored(store, projection) == (4, [])


def test_an_item_that_was_never_stored_has_no_chunks_to_show(store: LanceVectorStore) -> None:
    assert stored(store, project(uuid.uuid4())) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
def test_one_bad_number_in_a_batch_is_refused_before_anything_is_written(
    store: LanceVectorStore, bad: float
) -> None:
    vectors = unit_vectors(2)
    vectors[1, 3] = bad
    batch = [project(uuid.uuid4()), project(uuid.uuid4(), vectors=vectors)]

    with pytest.raises(RefusedVector):
        store.add_chunks(batch, 1)
    with pytest.raises(RefusedVector):
        store.add_processed([replace(batch[1], embedding=vectors[1])], 1)
    assert store.sizes() == {CHUNKS: 0, PROCESSED: 0}


@pytest.mark.parametrize("vectors", [np.zeros((2, 16)), np.ones((2, 8)), np.ones((2, 384))])
def test_a_zero_vector_and_one_of_another_model_are_refused(
    store: LanceVectorStore, vectors: np.ndarray
) -> None:
    with pytest.raises(RefusedVector):
        store.add_chunks([project(uuid.uuid4(), vectors=vectors.astype(np.float32))], 1)
    assert store.sizes()[CHUNKS] == 0


def test_chunks_and_vectors_that_do_not_pair_up_are_refused(store: LanceVectorStore) -> None:
    with pytest.raises(StoredDataError):
        store.add_chunks([project(uuid.uuid4(), vectors=unit_vectors(3))], 1)
    assert store.sizes()[CHUNKS] == 0


def test_text_that_is_not_unicode_is_refused(store: LanceVectorStore) -> None:
    broken = replace(project(uuid.uuid4()), title="\ud800")

    with pytest.raises(StoredDataError):
        store.add_chunks([broken], 1)
    assert store.sizes()[CHUNKS] == 0
