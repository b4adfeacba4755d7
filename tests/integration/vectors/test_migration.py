"""Preparing the tables: repeatable, resumable, and never destructive."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

import lancedb
import pytest

from atom_backend.errors import ConfigurationError, VectorStoreUnavailable
from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.location import Location
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.making import CHUNKS, LAYOUT, POINTER, PROCESSED, project, put


def test_preparing_again_changes_nothing(folder: Path, store: LanceVectorStore) -> None:
    put(store, [project(uuid.uuid4())])
    files = sorted(folder.rglob("*"))

    assert prepare_tables(str(folder), **LAYOUT).endswith("nothing to do.")
    assert sorted(folder.rglob("*")) == files
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


@pytest.mark.parametrize("left", ["no_pointer", "no_index", "no_table", "empty_table_folder"])
def test_a_migration_that_was_killed_is_completed_by_the_next(
    tmp_path: Path, open_store: OpenStore, left: str
) -> None:
    prepare_tables(str(tmp_path), **LAYOUT)
    (tmp_path / POINTER).unlink()
    if left == "no_index":
        lancedb.connect(tmp_path).open_table(CHUNKS).drop_index("content_idx")
    if left == "no_table":
        shutil.rmtree(tmp_path / f"{PROCESSED}.lance")
    if left == "empty_table_folder":
        shutil.rmtree(tmp_path / f"{PROCESSED}.lance")
        (tmp_path / f"{PROCESSED}.lance" / "_versions").mkdir(parents=True)

    with pytest.raises(VectorStoreUnavailable):
        open_store(tmp_path).sizes()
    prepare_tables(str(tmp_path), **LAYOUT)

    store = open_store(tmp_path)
    put(store, [project(uuid.uuid4())])
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}
    indexes = lancedb.connect(tmp_path).open_table(CHUNKS).list_indices()
    assert {i.columns[0] for i in indexes} == {"owner_id", "document_id", "chunk_id", "content"}


def test_a_table_that_vanished_from_a_complete_store_is_not_made_anew(folder: Path) -> None:
    shutil.rmtree(folder / f"{PROCESSED}.lance")

    with pytest.raises(VectorStoreUnavailable, match=f"{PROCESSED} is missing.*rebuild"):
        prepare_tables(str(folder), **LAYOUT)
    assert not (folder / f"{PROCESSED}.lance").exists()


def test_tables_of_another_model_are_left_alone(folder: Path, store: LanceVectorStore) -> None:
    put(store, [project(uuid.uuid4())])

    with pytest.raises(ConfigurationError, match=r"16 numbers.* gives 8"):
        prepare_tables(str(folder), **(LAYOUT | {"dimension": 8}))
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


def test_a_table_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    lancedb.connect(tmp_path).create_table(CHUNKS, [{"vector": [1.0, 2.0], "text": "someone's"}])

    with pytest.raises(ConfigurationError, match=r"vectors of 2 numbers.*rebuild"):
        prepare_tables(str(tmp_path), **LAYOUT)
    assert lancedb.connect(tmp_path).open_table(CHUNKS).count_rows() == 1


def test_other_table_names_make_a_second_store_in_the_same_folder(
    folder: Path, store: LanceVectorStore, open_store: OpenStore
) -> None:
    other: dict[str, Any] = {
        "processed_table": "processed_8",
        "chunks_table": "chunks_8",
        "dimension": 8,
    }
    put(store, [project(uuid.uuid4())])

    prepare_tables(str(folder), **other)

    assert open_store(folder, **other).sizes() == {"chunks_8": 0, "processed_8": 0}
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


def test_a_place_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(VectorStoreUnavailable):
        prepare_tables(str(tmp_path / "file" / "store"), **LAYOUT)


def test_a_relative_path_means_a_folder_and_not_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    prepare_tables("dbfoo", **LAYOUT)

    assert (tmp_path / "dbfoo" / POINTER).is_file()


def test_an_object_stores_address_is_passed_on_as_it_is() -> None:
    assert Location("s3://bucket/folder").uri == "s3://bucket/folder"
    assert Location("s3://bucket/folder").folder is None
