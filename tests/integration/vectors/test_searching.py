"""Searching: exact under every filter, complete at every moment, harmless whatever is asked."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import lancedb
import numpy as np
import pytest

from atom_backend.domain.items import Kind, Projection, Vector
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import Leg, LegHits
from atom_backend.errors import RefusedVector, StoredDataError
from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.store import LanceVectorStore
from tests.hits import hits_of
from tests.integration.vectors.making import CHUNKS, LAYOUT, project, put, unit_vectors

WORDS = [f"word{number}" for number in range(60)]
OWNERS = [UUID(int=number + 1) for number in range(4)]


class Corpus:
    """What is stored, and what comparing with every row would find."""

    def __init__(self, store: LanceVectorStore) -> None:
        self.store = store
        self.live: dict[UUID, Projection] = {}

    def rows(self, owner: UUID, items: list[UUID] | None) -> list[tuple[UUID, str, Vector]]:
        return [
            (chunk.chunk_id, chunk.text, projection.vectors[chunk.ordinal])
            for projection in self.live.values()
            if projection.owner_id == owner and (items is None or projection.item_id in items)
            for chunk in projection.chunks
        ]

    def nearest(
        self, owner: UUID, items: list[UUID] | None, query: Vector, depth: int
    ) -> dict[UUID, float]:
        rows = self.rows(owner, items)
        scores = {chunk_id: float(vector @ query) for chunk_id, _, vector in rows}
        return dict(sorted(scores.items(), key=lambda pair: -pair[1])[:depth])

    def containing(self, owner: UUID, items: list[UUID] | None, word: str) -> set[UUID]:
        rows = self.rows(owner, items)
        return {chunk_id for chunk_id, text, _ in rows if word in text.split()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """Rows of four owners: some compacted and indexed, some deleted, some written since."""
    chance = random.Random(4)
    path = str(tmp_path_factory.mktemp("corpus"))
    prepare_tables(path, **LAYOUT)
    store = LanceVectorStore(path, **LAYOUT)
    corpus = Corpus(store)
    for generation in range(6):
        projections = [_random_projection(chance) for _ in range(40)]
        put(store, projections, generation)
        corpus.live.update({p.item_id: p for p in projections})
        gone = chance.sample(sorted(corpus.live), 12)
        store.drop_items(gone)
        corpus.live = {key: p for key, p in corpus.live.items() if key not in gone}
        if generation == 3:
            assert "indexed" in store.maintain()
    yield corpus
    store.close()


def _random_projection(chance: random.Random) -> Projection:
    texts = [" ".join(chance.choices(WORDS, k=12)) + "\n" for _ in range(chance.randint(1, 5))]
    return project(chance.choice(OWNERS), texts)


def search(
    store: LanceVectorStore,
    owner: UUID,
    *,
    vector: Vector | None = None,
    text: str | None = None,
    depth: int = 50,
    items: list[UUID] | None = None,
) -> LegHits:
    """The hits of the one leg that is asked for."""
    legs = store.search(OwnerScope(owner), vector=vector, text=text, depth=depth, item_ids=items)
    (leg,) = legs
    return leg


def found(leg: LegHits) -> set[UUID]:
    return {hit.chunk_id for hit in hits_of(leg)}


@pytest.mark.parametrize("seed", range(30))
def test_the_vector_leg_finds_exactly_what_comparing_with_every_row_finds(
    corpus: Corpus, seed: int
) -> None:
    chance = random.Random(seed)
    owner, depth = chance.choice(OWNERS), chance.choice([1, 7, 40, 1000])
    items = None if seed % 2 else chance.sample(sorted(corpus.live), 40)
    query = unit_vectors(1)[0]

    leg = search(corpus.store, owner, vector=query, depth=depth, items=items)

    expected = corpus.nearest(owner, items, query, depth)
    assert [hit.chunk_id for hit in hits_of(leg)] == list(expected)
    assert [hit.score for hit in hits_of(leg)] == pytest.approx(list(expected.values()), abs=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_the_text_leg_finds_every_chunk_with_the_word_and_no_other(
    corpus: Corpus, seed: int
) -> None:
    chance = random.Random(seed)
    owner, word = chance.choice(OWNERS), chance.choice(WORDS)
    items = None if seed % 2 else chance.sample(sorted(corpus.live), 60)

    leg = search(corpus.store, owner, text=word, depth=1000, items=items)

    assert found(leg) == corpus.containing(owner, items, word)
    assert leg.exhausted


def test_the_text_leg_gives_the_best_matches_first(corpus: Corpus) -> None:
    whole = search(corpus.store, OWNERS[0], text="word1 word2 word3", depth=1000)
    top = search(corpus.store, OWNERS[0], text="word1 word2 word3", depth=5)

    scores = [hit.score for hit in hits_of(whole)]
    assert scores == sorted(scores, reverse=True)
    assert [hit.score for hit in hits_of(top)] == scores[:5]


def test_both_legs_run_when_both_are_asked_for_and_none_when_none_is(corpus: Corpus) -> None:
    scope = OwnerScope(OWNERS[0])

    both = corpus.store.search(scope, vector=unit_vectors(1)[0], text="word1", depth=3)
    none = corpus.store.search(scope, vector=None, text=None, depth=3)

    assert [leg.leg for leg in both] == [Leg.VECTOR, Leg.TEXT]
    assert none == ()


def test_a_leg_is_exhausted_when_nothing_lies_behind_its_last_hit(store: LanceVectorStore) -> None:
    owner = uuid.uuid4()
    put(store, [project(owner, ["same word ", "same word"])])

    for asked in ({"text": "word"}, {"vector": unit_vectors(1)[0]}):
        assert not search(store, owner, depth=1, **asked).exhausted
        assert search(store, owner, depth=3, **asked).exhausted


def test_a_hit_says_where_its_passage_stands(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4(), ["Grüße 👋 ", "aus Köln"], revision=7, title="Post")
    put(store, [projection])

    (hit,) = hits_of(search(store, projection.owner_id, text="Köln"))

    assert (hit.item_id, hit.revision, hit.ordinal) == (projection.item_id, 7, 1)
    assert ("Grüße 👋 aus Köln"[hit.start : hit.end]) == "aus Köln"


def test_no_items_means_no_hits(corpus: Corpus) -> None:
    leg = search(corpus.store, OWNERS[0], text="word1", items=[])

    assert (leg.leg, list(leg.items), leg.exhausted) == (Leg.TEXT, [], True)


def test_an_unknown_owner_finds_nothing_at_the_first_page(corpus: Corpus) -> None:
    leg = search(corpus.store, uuid.uuid4(), vector=unit_vectors(1)[0])

    assert (leg.leg, list(leg.items), leg.exhausted) == (Leg.VECTOR, [], True)


def test_a_chunk_that_was_written_twice_is_given_once(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4(), ["twice told tale"])
    store.add_chunks([projection], 1)
    store.add_chunks([projection], 2)

    by_text = search(store, projection.owner_id, text="tale", depth=2)
    by_vector = search(store, projection.owner_id, vector=projection.vectors[0], depth=2)

    assert len(hits_of(by_text)) == len(hits_of(by_vector)) == 1
    assert not by_text.exhausted


def test_equal_scores_are_ordered_by_chunk(store: LanceVectorStore) -> None:
    owner, vector = uuid.uuid4(), unit_vectors(1)
    put(store, [project(owner, ["same text"], vectors=vector) for _ in range(9)])

    for asked in ({"text": "text"}, {"vector": vector[0]}):
        hits = hits_of(search(store, owner, **asked))
        assert [hit.chunk_id for hit in hits] == sorted(hit.chunk_id for hit in hits)
        assert len(hits) == 9


def test_a_word_of_the_title_finds_the_chunk(store: LanceVectorStore) -> None:
    projection = project(uuid.uuid4(), ["nothing to see"], title="Quarterly zebras")
    put(store, [projection])

    assert found(search(store, projection.owner_id, text="ZEBRA")) == {
        projection.chunks[0].chunk_id
    }


HOSTILE = [
    "",
    "   ",
    "!?.,;:",
    "😀🏳️‍🌈",
    '"an unclosed phrase',
    '"a phrase"',
    "a AND (b OR NOT",
    "x' OR '1'='1",
    "') OR true --",
    "title:foo^9~3 *",
    "\x00 \u202e \ufeff",
    "\ud800 lone surrogate",
    "lorem ipsum " * 900,
    " ".join(f"w{number}" for number in range(2_500)),
    "x" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_text_is_an_error_or_finds_another_owners_rows(corpus: Corpus, text: str) -> None:
    leg = search(corpus.store, uuid.uuid4(), text=text)

    assert (leg.leg, list(leg.items), leg.exhausted) == (Leg.TEXT, [], True)


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.isprintable() and len(t) < 100])
def test_hostile_text_is_stored_and_given_back_as_it_is(store: LanceVectorStore, text: str) -> None:
    mine = project(uuid.uuid4(), [text + " mine"], title=text)
    other = project(uuid.uuid4(), [text + " other"], title=text)
    put(store, [mine, other])

    leg = search(store, mine.owner_id, text=f"{text} mine other")

    (chunk,) = mine.chunks
    assert {hit.chunk_id: hit.text for hit in hits_of(leg)} == {chunk.chunk_id: text + " mine"}
    store.drop_items([mine.item_id])
    assert store.holding([mine.item_id, other.item_id]) == {other.item_id}


def test_nothing_of_another_owner_is_readable_even_by_its_identifiers(
    store: LanceVectorStore,
) -> None:
    mine, other = project(uuid.uuid4()), project(uuid.uuid4())
    put(store, [mine, other])

    assert store.chunks(OwnerScope(mine.owner_id), other.item_id) is None
    assert not hits_of(search(store, mine.owner_id, text="one", items=[other.item_id]))


def test_only_the_asked_kinds_are_found(store: LanceVectorStore, folder: Path) -> None:
    projection = project(uuid.uuid4(), ["alpha ", "beta"])
    put(store, [projection])
    table = lancedb.connect(folder).open_table(CHUNKS)
    table.update(where="ordinal = 1", values={"kind": "of-a-later-version"})
    scope, query = OwnerScope(projection.owner_id), unit_vectors(1)[0]

    legs = store.search(
        scope, vector=query, text="alpha beta", depth=9, kinds=frozenset({Kind.DOCUMENT})
    )

    assert [found(leg) for leg in legs] == [{projection.chunks[0].chunk_id}] * 2
    with pytest.raises(StoredDataError):
        store.search(scope, vector=query, text=None, depth=9)


@pytest.mark.parametrize(
    "vector",
    [np.zeros(16), np.full(16, np.nan), np.full(16, np.inf), np.ones(15), np.ones((2, 16))],
    ids=["zero", "nan", "infinite", "short", "two"],
)
def test_a_query_vector_that_would_silently_find_nothing_is_refused(
    store: LanceVectorStore, vector: Vector
) -> None:
    with pytest.raises(RefusedVector):
        search(store, uuid.uuid4(), vector=vector)


def test_rows_are_found_by_both_legs_as_soon_as_they_are_added(corpus: Corpus) -> None:
    projection = replace(project(OWNERS[0], ["freshly pressed"]), title="")
    corpus.store.add_chunks([projection], 99)

    by_text = search(corpus.store, OWNERS[0], text="freshly")
    by_vector = search(corpus.store, OWNERS[0], vector=projection.vectors[0], depth=1)
    corpus.store.drop_items([projection.item_id])

    assert found(by_text) == found(by_vector) == {projection.chunks[0].chunk_id}
    assert not hits_of(search(corpus.store, OWNERS[0], text="freshly"))
