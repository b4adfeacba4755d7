"""Durability: when a write returns, every file that it made has been flushed to the disk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from atom_backend.vectors import durability
from atom_backend.vectors.maintenance import MaintenancePolicy
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.making import project, put

ITEM = uuid.UUID(int=5)

WRITES: dict[str, Callable[[LanceVectorStore], object]] = {
    "add_chunks": lambda store: store.add_chunks([project(uuid.uuid4())], 2),
    "add_processed": lambda store: store.add_processed([project(uuid.uuid4())], 2),
    "drop_items": lambda store: store.drop_items([ITEM]),
    "drop_older": lambda store: store.drop_older([ITEM], 9),
    "maintain": LanceVectorStore.maintain,
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_file_that_a_write_made_is_flushed_with_its_folder_before_it_returns(
    folder: Path,
    open_store: OpenStore,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[LanceVectorStore], object],
) -> None:
    store = open_store(folder, maintenance=MaintenancePolicy(share=0, dirty_seconds=0))
    put(store, [project(uuid.uuid4(), item_id=ITEM)])
    put(store, [project(uuid.uuid4())])
    flushed: set[Path] = set()
    flush = durability.flush

    def recorded(path: Path) -> None:
        flush(path)
        flushed.add(path)

    monkeypatch.setattr(durability, "flush", recorded)
    before = set(folder.rglob("*"))

    write(store)

    made = {path for path in folder.rglob("*") if path not in before}
    assert {path.suffix for path in made if path.is_file()} >= {".manifest", ".txn"}
    assert made <= flushed
    assert {path.parent for path in made} <= flushed
