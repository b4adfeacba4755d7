"""Nearest items: exactly those that comparing with every item finds, and the owner's alone."""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import lancedb
import numpy as np
import pytest

from atom_backend.domain.items import Kind, Projection, Vector
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.similar import Neighbours
from atom_backend.errors import RefusedVector
from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.making import LAYOUT, PROCESSED, project, put, unit_vectors

OWNERS = [UUID(int=number + 1) for number in range(3)]
KINDS = [Kind.DOCUMENT, Kind.TASK]


class Corpus:
    """What is stored, and what comparing with every item would find."""

    def __init__(self, store: LanceVectorStore) -> None:
        self.store = store
        self.live: dict[UUID, Projection] = {}

    def nearest(
        self, owner: UUID, vector: Vector, kinds: Collection[Kind], items: list[UUID] | None
    ) -> list[tuple[float, UUID]]:
        return sorted(
            (-float(one.embedding @ vector), one.item_id)
            for one in self.live.values()
            if one.owner_id == owner
            and (not kinds or one.kind in kinds)
            and (items is None or one.item_id in items)
        )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """Items of three owners: some compacted and indexed, some rewritten, deleted, written since."""
    chance = random.Random(4)
    path = str(tmp_path_factory.mktemp("corpus"))
    prepare_tables(path, **LAYOUT)
    store = LanceVectorStore(path, **LAYOUT)
    corpus = Corpus(store)
    for generation in range(4):
        again = chance.sample(sorted(corpus.live), min(9, len(corpus.live)))
        written = [
            replace(corpus.live[item], revision=generation + 1, embedding=unit_vectors(1)[0])
            for item in again
        ]
        for _ in range(40):
            new = project(chance.choice(OWNERS), ["x"])
            written.append(replace(new, kind=chance.choice(KINDS)))
        put(store, written, generation + 1)
        corpus.live |= {one.item_id: one for one in written}
        gone = chance.sample(sorted(corpus.live), 8)
        store.drop_items(gone)
        corpus.live = {key: one for key, one in corpus.live.items() if key not in gone}
        if generation == 2:
            assert "indexed" in store.maintain()
    yield corpus
    store.close()


def nearest(
    store: LanceVectorStore, owner: UUID, vector: Vector, depth: int = 99, **narrowed: Any
) -> Neighbours:
    return store.nearest(OwnerScope(owner), vector, depth=depth, **narrowed)


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_are_exactly_those_that_comparing_with_every_item_finds(
    corpus: Corpus, seed: int
) -> None:
    chance = random.Random(seed)
    owner, depth = chance.choice(OWNERS), chance.choice([1, 7, 1000])
    items = None if seed % 2 else chance.sample(sorted(corpus.live), 60)
    kinds = frozenset(chance.sample(KINDS, seed % 3))
    vector = unit_vectors(1)[0]

    near = nearest(corpus.store, owner, vector, depth, kinds=kinds, item_ids=items)

    expected = corpus.nearest(owner, vector, kinds, items)
    assert [one.item_id for one in near.items] == [item for _, item in expected[:depth]]
    for one, (negated, _) in zip(near.items, expected, strict=False):
        assert one.score == pytest.approx(-negated, abs=1e-5)
        stored = corpus.live[one.item_id]
        assert (one.kind, one.revision) == (stored.kind, stored.revision)
    assert near.exhausted == (len(expected) < depth)


def test_an_embedding_is_read_as_it_was_written_and_by_its_owner_alone(corpus: Corpus) -> None:
    for one in list(corpus.live.values())[:9]:
        read = corpus.store.embedding(OwnerScope(one.owner_id), one.item_id)
        assert read is not None
        assert (read[0], np.allclose(read[1], one.embedding)) == (one.revision, True)
        (other, _) = (owner for owner in OWNERS if owner != one.owner_id)
        assert corpus.store.embedding(OwnerScope(other), one.item_id) is None
    assert corpus.store.embedding(OwnerScope(OWNERS[0]), uuid.uuid4()) is None


@pytest.mark.parametrize("newer", [(2, 5), (1, 6)], ids=["revision", "fence"])
def test_of_two_writings_side_by_side_the_newer_one_counts(
    store: LanceVectorStore, newer: tuple[int, int]
) -> None:
    old = project(uuid.uuid4(), ["x"])
    new = replace(old, revision=newer[0], embedding=-old.embedding)
    for one, fence in ((new, newer[1]), (old, 5)):
        store.add_processed([one], fence)

    read = store.embedding(OwnerScope(old.owner_id), old.item_id)
    near = nearest(store, old.owner_id, old.embedding)

    assert read is not None
    assert (read[0], np.allclose(read[1], new.embedding)) == (new.revision, True)
    assert [one.item_id for one in near.items] == [old.item_id]
    assert near.items[0].score == pytest.approx(-1, abs=1e-5)


def test_equally_near_items_are_ordered_by_identifier(store: LanceVectorStore) -> None:
    owner, vector = uuid.uuid4(), unit_vectors(1)[0]
    put(store, [replace(project(owner, ["x"]), embedding=vector) for _ in range(9)])

    items = [one.item_id for one in nearest(store, owner, vector).items]
    assert items == sorted(items)
    assert len(items) == 9


@pytest.mark.parametrize("wrong", [0.0, float("nan"), float("inf")])
def test_a_vector_that_cannot_be_compared_is_refused(store: LanceVectorStore, wrong: float) -> None:
    with pytest.raises(RefusedVector):
        nearest(store, uuid.uuid4(), np.full(16, wrong, np.float32))


def test_a_store_of_before_gets_the_index_by_owner(folder: Path, open_store: OpenStore) -> None:
    mine, other = (project(uuid.uuid4(), ["x"]) for _ in range(2))
    put(open_store(folder), [mine, other])
    table = lancedb.connect(folder).open_table(PROCESSED)
    table.drop_index("owner_id_idx")

    assert f"index {PROCESSED}.owner_id" in prepare_tables(str(folder), **LAYOUT)

    again = lancedb.connect(folder).open_table(PROCESSED)
    plan = again.search().where(f"owner_id = X'{mine.owner_id.hex}'").explain_plan()
    assert "ScalarIndexQuery" in plan
    near = nearest(open_store(folder), mine.owner_id, mine.embedding)
    assert [one.item_id for one in near.items] == [mine.item_id]
