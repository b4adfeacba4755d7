"""A prepared LanceDB store in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.making import LAYOUT

OpenStore = Callable[..., LanceVectorStore]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a prepared, empty store lies."""
    path = tmp_path / "lancedb"
    prepare_tables(str(path), **LAYOUT)
    return path


@pytest.fixture
def open_store() -> Iterator[OpenStore]:
    """Open a store on a folder; every one is closed at the end."""
    opened: list[LanceVectorStore] = []

    def make(path: Path, **options: Any) -> LanceVectorStore:
        opened.append(LanceVectorStore(str(path), **(LAYOUT | options)))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(folder: Path, open_store: OpenStore) -> LanceVectorStore:
    return open_store(folder)
