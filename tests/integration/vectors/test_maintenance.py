"""Maintenance: every answer is the same before and after, and idle rounds do nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lancedb
import numpy as np
import pytest
from lancedb import AsyncTable
from lancedb.index import IvfSq

from atom_backend.clock import new_id
from atom_backend.domain.items import Projection
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import LegHits
from atom_backend.vectors import approximate, maintenance, reading
from atom_backend.vectors.maintenance import MaintenancePolicy
from atom_backend.vectors.store import LanceVectorStore
from tests.hits import hits_of
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.making import CHUNKS, project, put, unit_vectors

OWNER = uuid.UUID(int=1)


def search(store: LanceVectorStore, query: Projection, depth: int = 1000) -> tuple[LegHits, ...]:
    scope = OwnerScope(OWNER)
    return store.search(scope, vector=query.vectors[0], text="even common", depth=depth)


def answers(legs: tuple[LegHits, ...]) -> list[dict[uuid.UUID, int]]:
    return [{hit.chunk_id: hit.revision for hit in hits_of(leg)} for leg in legs]


def chunk_ids(leg: LegHits) -> list[uuid.UUID]:
    return [hit.chunk_id for hit in hits_of(leg)]


def fill(store: LanceVectorStore, count: int) -> list[Projection]:
    projections = [
        project(OWNER, [f"common {'even' if number % 2 else 'odd'}"]) for number in range(count)
    ]
    for projection in projections:
        put(store, [projection])
    return projections


def files(folder: Path, part: str) -> int:
    return len(list((folder / f"{CHUNKS}.lance" / part).iterdir()))


def test_many_small_files_become_one_and_every_answer_stays(
    folder: Path, open_store: OpenStore
) -> None:
    store = open_store(folder, maintenance=MaintenancePolicy(share=0, small_fragments=8))
    store.maintain()
    projections = fill(store, 12)
    store.drop_items([projections[3].item_id])
    before = search(store, projections[0])

    report = store.maintain()

    assert "document_chunks: compacted" in report
    assert "document_chunks: indexed" in report
    assert "processed_documents: compacted" in report
    after = search(store, projections[0])
    assert answers(after) == answers(before)
    assert [len(hits_of(leg)) for leg in after] == [11, 11]
    stats: Any = lancedb.connect(folder).open_table(CHUNKS).stats()
    assert stats["fragment_stats"]["num_fragments"] == 1


def test_a_round_with_nothing_to_do_changes_nothing(folder: Path, store: LanceVectorStore) -> None:
    fill(store, 3)
    store.maintain()
    before = sorted(folder.rglob("*"))

    assert store.maintain() == "nothing to do"
    assert sorted(folder.rglob("*")) == before


def test_a_few_changes_wait_until_the_table_was_dirty_for_a_while(
    folder: Path, open_store: OpenStore
) -> None:
    patient = open_store(folder)
    eager = open_store(folder, maintenance=MaintenancePolicy(share=0, dirty_seconds=0))
    assert patient.maintain() == eager.maintain() == "nothing to do"
    fill(patient, 3)

    assert patient.maintain() == "nothing to do"
    assert "indexed 3 rows" in eager.maintain()


def test_rounds_are_spaced_by_the_time_that_they_take(folder: Path, open_store: OpenStore) -> None:
    store = open_store(folder, maintenance=MaintenancePolicy(share=1e9, dirty_seconds=0))
    fill(store, 1)
    assert store.maintain() != "nothing to do"
    fill(store, 1)
    assert store.maintain() == "nothing to do"


def test_a_compaction_that_keeps_losing_to_writers_is_left_to_the_next_round(
    store: LanceVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def preempted(*_: object, **__: object) -> None:
        raise RuntimeError("lance error: Retryable commit conflict for version 7: Please retry.")

    fill(store, 3)
    with monkeypatch.context() as patch:
        patch.setattr(AsyncTable, "optimize", preempted)
        assert "document_chunks: postponed, because writers were quicker" in store.maintain()

    assert "document_chunks: compacted 3 fragments" in store.maintain()


def test_rows_that_came_while_the_others_were_indexed_are_indexed_by_the_next_round(
    folder: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(folder, maintenance=MaintenancePolicy(share=0, dirty_seconds=0))
    writer = open_store(folder)
    fill(store, 3)
    real, late = AsyncTable.optimize, [project(OWNER, ["common late"])]

    async def raced(table: AsyncTable, **options: Any) -> Any:
        done = await real(table, **options)
        if table.name == CHUNKS and late:
            await asyncio.to_thread(put, writer, [late.pop()])
        return done

    monkeypatch.setattr(AsyncTable, "optimize", raced)
    assert "indexed 3 rows" in store.maintain()
    assert not late

    assert "document_chunks: indexed 1 rows" in store.maintain()
    assert store.maintain() == "nothing to do"


def test_versions_are_pruned_only_after_the_time_a_reader_may_take(
    folder: Path, open_store: OpenStore
) -> None:
    store = open_store(folder, maintenance=MaintenancePolicy(share=0, dirty_seconds=0))
    fill(store, 6)

    assert "pruned" not in store.maintain()
    before = files(folder, "_versions")
    short = MaintenancePolicy(share=0, dirty_seconds=0, keep=timedelta(milliseconds=1))
    assert "pruned" in open_store(folder, maintenance=short).maintain()
    assert files(folder, "_versions") < before
    assert store.sizes()[CHUNKS] == 6


def test_what_no_other_rule_asks_for_is_done_within_the_hour(
    folder: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(maintenance, "time", SimpleNamespace(monotonic=lambda: now[0]))
    policy = MaintenancePolicy(share=0, dirty_seconds=1e9, keep=timedelta(milliseconds=1))
    store = open_store(folder, maintenance=policy)
    store.maintain()
    fill(store, 2)
    assert store.maintain() == "nothing to do"

    now[0] = 3600.0

    assert "pruned" in store.maintain()
    assert store.maintain() == "nothing to do"


def test_the_tables_of_killed_probes_are_removed_and_no_others(
    folder: Path, store: LanceVectorStore
) -> None:
    database = lancedb.connect(folder)
    old = f"probe_{uuid.UUID(int=1 << 80 | 7 << 76 | 2 << 62).hex}"
    for name in (old, f"probe_{new_id().hex}", "probe_of_the_moon"):
        database.create_table(name, [{"x": 1}])

    assert store.maintain() == "dropped 1 abandoned probes"
    assert old not in database.list_tables().tables
    assert len(database.list_tables().tables) == 4


@pytest.fixture
def large(folder: Path, open_store: OpenStore) -> Iterator[LanceVectorStore]:
    """Here "large" begins at 600 chunks, so that one owner has a vector index."""
    policy = MaintenancePolicy(share=0, dirty_seconds=0, vector_index_rows=600, large_owner=600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approximate, "LARGE_OWNER", 600)
        store = open_store(folder, maintenance=policy)
        put(store, [project(OWNER, ["common"] * 300) for _ in range(3)])
        put(store, [project(uuid.uuid4(), ["common"] * 100)])
        yield store


def test_a_vector_index_is_built_for_a_large_owner_and_finds_what_the_exact_search_finds(
    large: LanceVectorStore, folder: Path, open_store: OpenStore
) -> None:
    query = project(OWNER)
    exact = search(large, query, depth=10)[0]

    assert "built a vector index over 1000 rows" in large.maintain()

    close = search(open_store(folder), query, depth=10)[0]
    assert len(set(chunk_ids(exact)) & set(chunk_ids(close))) >= 9
    assert [hit.score for hit in hits_of(close)] == pytest.approx(
        [hit.score for hit in hits_of(exact)], abs=0.05
    )


def test_an_approximate_search_that_finds_too_little_is_repeated_exactly(
    large: LanceVectorStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PROBES", 1)
    lancedb.connect(folder).open_table(CHUNKS).create_index(
        "vector", config=IvfSq(distance_type="cosine", num_partitions=16)
    )
    query = project(OWNER)

    shallow, deep = (search(large, query, depth)[0] for depth in (3, 1_000))

    assert len(hits_of(shallow)) == 3
    assert len(hits_of(deep)) == 900
    assert deep.exhausted


def test_the_vector_index_is_built_once_and_again_after_the_table_doubled(
    large: LanceVectorStore,
) -> None:
    assert "built a vector index over 1000 rows" in large.maintain()
    assert "vector index" not in large.maintain()

    put(large, [project(uuid.uuid4(), ["common"] * 1_000)])

    assert "built a vector index over 2000 rows" in large.maintain()
    assert "vector index" not in large.maintain()


def test_many_small_owners_need_no_vector_index(folder: Path, open_store: OpenStore) -> None:
    policy = MaintenancePolicy(share=0, vector_index_rows=100, large_owner=60)
    store = open_store(folder, maintenance=policy)
    put(store, [project(uuid.uuid4(), ["common"] * 50) for _ in range(3)])

    assert "vector index" not in store.maintain()


def test_rows_written_after_the_vector_index_are_found_too(large: LanceVectorStore) -> None:
    large.maintain()
    fresh = project(OWNER, ["fresh"], vectors=unit_vectors(1))
    put(large, [fresh])

    (leg,) = large.search(OwnerScope(OWNER), vector=fresh.vectors[0], text=None, depth=5)

    assert hits_of(leg)[0].chunk_id == fresh.chunks[0].chunk_id
    assert np.isclose(hits_of(leg)[0].score, 1.0, atol=1e-5)
