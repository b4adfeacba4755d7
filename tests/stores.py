"""Prepared LanceDB folders for tests that need both stores."""

from __future__ import annotations

from pathlib import Path

from atom_backend.vectors.generations import LanceGenerations, prepare_tables
from atom_backend.vectors.store import LanceVectorStore
from tests.conftest import STORE_ID
from tests.deterministic import DIMENSION
from tests.invariants import CHUNKS, PROCESSED


def prepare(folder: Path, dimension: int = DIMENSION) -> Path:
    """The same folder, with empty tables."""
    names = {"processed_table": PROCESSED, "chunks_table": CHUNKS}
    prepare_tables(str(folder), dimension=dimension, store=STORE_ID, **names)
    return folder


def open_store(
    folder: Path,
    dimension: int = DIMENSION,
    deadline: float = 10.0,
    building: int | None = None,
) -> LanceVectorStore:
    return LanceVectorStore(
        str(folder),
        dimension=dimension,
        processed_table=PROCESSED,
        chunks_table=CHUNKS,
        deadline=deadline,
        building=building,
    )


def open_generations(folder: Path, dimension: int = DIMENSION) -> LanceGenerations:
    return LanceGenerations(
        str(folder), dimension=dimension, processed_table=PROCESSED, chunks_table=CHUNKS
    )
