"""Ranking: what a page shows must not depend on how deep the legs were asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.fusion import rank
from atom_backend.domain.items import Kind
from atom_backend.domain.search import Hit, Leg, LegHits
from tests.hits import hits_of

SPACE = UUID(int=0)


def item(number: int) -> UUID:
    return UUID(int=number + 1)


def leg_of(leg: Leg, chunks: Sequence[tuple[int, int]]) -> LegHits:
    """A leg that found these (item, ordinal) chunks, best first."""
    hits = tuple(
        Hit(
            chunk_id=uuid5(SPACE, f"{number}:{ordinal}"),
            item_id=item(number),
            kind=Kind.DOCUMENT,
            revision=1,
            ordinal=ordinal,
            start=0,
            end=1,
            score=1.0 / place,
            title="t",
            text="x",
        )
        for place, (number, ordinal) in enumerate(chunks, start=1)
    )
    return as_leg(leg, hits)


def as_leg(leg: Leg, hits: Sequence[Hit]) -> LegHits:
    """One that found these, and may find more."""
    return LegHits(
        leg,
        items=[hit.item_id.bytes for hit in hits],
        chunks=[hit.chunk_id.bytes for hit in hits],
        kinds=[hit.kind for hit in hits],
        revisions=[hit.revision for hit in hits],
        scores=[hit.score for hit in hits],
        exhausted=False,
        hit=hits.__getitem__,
    )


def scored(leg: Leg, scores: Sequence[tuple[int, float]]) -> LegHits:
    """A leg that found one chunk of each of these items, with these scores, best first."""
    hits = hits_of(leg_of(leg, [(number, 0) for number, _ in scores]))
    given = zip(hits, scores, strict=True)
    return as_leg(leg, [replace(hit, score=score) for hit, (_, score) in given])


def cut(legs: Sequence[LegHits], depth: int) -> list[LegHits]:
    return [as_leg(leg.leg, hits_of(leg)[:depth]) for leg in legs]


CHUNKS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), unique=True, max_size=24)
TWO_LEGS = st.tuples(CHUNKS, CHUNKS).map(
    lambda both: [leg_of(Leg.VECTOR, both[0]), leg_of(Leg.TEXT, both[1])]
)
ONE_LEG = CHUNKS.map(lambda chunks: [leg_of(Leg.VECTOR, chunks)])
LEGS = st.one_of(TWO_LEGS, ONE_LEG)
DEPTHS = st.lists(st.integers(1, 26), min_size=1, max_size=4, unique=True).map(sorted)


@given(LEGS, DEPTHS)
def test_looking_deeper_only_adds_to_the_end_of_the_ranking(
    legs: list[LegHits], depths: list[int]
) -> None:
    shown: list[tuple[UUID, float]] = []
    for looks in range(1, len(depths) + 1):
        ranked = rank(cut(legs, depths[looks - 1]), depths[:looks])
        now = [(one.item_id, one.score) for one in ranked]
        assert now[: len(shown)] == shown
        shown = now


@given(
    st.lists(st.integers(1, 3), max_size=24),
    st.lists(st.integers(1, 3), max_size=24),
    DEPTHS,
    st.randoms(use_true_random=False),
)
def test_it_does_not_matter_which_of_equal_scores_a_look_happens_to_see(
    cosines: list[int], words: list[int], depths: list[int], chance: Random
) -> None:
    def look(leg: Leg, scores: list[int], depth: int) -> LegHits:
        hits = hits_of(scored(leg, [(n, float(score)) for n, score in enumerate(scores)]))
        chance.shuffle(hits)
        seen = sorted(hits, key=lambda hit: -hit.score)[:depth]
        return as_leg(leg, sorted(seen, key=lambda h: (-h.score, h.chunk_id)))

    shown: list[tuple[UUID, float]] = []
    for looks in range(1, len(depths) + 1):
        depth = depths[looks - 1]
        legs = [look(Leg.VECTOR, cosines, depth), look(Leg.TEXT, words, depth)]
        now = [(one.item_id, one.score) for one in rank(legs, depths[:looks])]
        assert now[: len(shown)] == shown
        shown = now


@given(LEGS, DEPTHS)
def test_scores_never_rise_down_the_list(legs: list[LegHits], depths: list[int]) -> None:
    scores = [one.score for one in rank(cut(legs, depths[-1]), depths)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(LEGS, DEPTHS)
def test_every_item_above_a_legs_border_is_one_candidate(
    legs: list[LegHits], depths: list[int]
) -> None:
    seen, deepest = cut(legs, depths[-1]), depths[-1]
    ranked = rank(seen, depths)
    found = {
        hit.item_id for leg in seen for hit in hits_of(leg)[: deepest - (len(leg.items) == deepest)]
    }
    assert len(ranked) == len(found)
    assert {one.item_id for one in ranked} == found


@given(LEGS, DEPTHS)
def test_a_candidate_carries_each_of_its_chunks_once_and_no_other(
    legs: list[LegHits], depths: list[int]
) -> None:
    seen = cut(legs, depths[-1])
    for one in rank(seen, depths):
        chunk_ids = [leg.hit(place).chunk_id for leg, place in one.places]
        mine = {h.chunk_id for leg in seen for h in hits_of(leg) if h.item_id == one.item_id}
        assert len(chunk_ids) == len(mine)
        assert set(chunk_ids) == mine


@given(CHUNKS)
def test_a_single_leg_keeps_its_own_order_and_scores(chunks: list[tuple[int, int]]) -> None:
    leg = leg_of(Leg.VECTOR, chunks)
    best: dict[UUID, float] = {}
    for hit in hits_of(leg):
        best.setdefault(hit.item_id, hit.score)
    ranked = rank([leg], [30])
    assert [(one.item_id, one.score) for one in ranked] == list(best.items())


@given(CHUNKS, CHUNKS)
def test_the_order_of_the_legs_does_not_matter(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    legs = [leg_of(Leg.VECTOR, one), leg_of(Leg.TEXT, other)]
    forward, backward = rank(legs, [30]), rank(legs[::-1], [30])
    assert [(c.item_id, c.score) for c in forward] == [(c.item_id, c.score) for c in backward]


@given(CHUNKS, CHUNKS)
def test_a_perfect_match_in_both_legs_scores_one(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    best = (99, 0)
    legs = [leg_of(Leg.VECTOR, [best, *one]), leg_of(Leg.TEXT, [best, *other])]
    first = rank(legs, [30])[0]
    assert (first.item_id, first.score) == (item(99), 1.0)


def test_an_item_counts_by_its_best_chunk() -> None:
    # The scores of the chunks are 1, 1/2, 1/3 and 1/4: two more of item 1 add nothing.
    many = [(1, 0), (1, 1), (1, 2), (2, 0)]
    legs = [leg_of(Leg.VECTOR, many), leg_of(Leg.TEXT, many)]
    scores = {one.item_id: one.score for one in rank(legs, [10])}
    assert scores == {item(1): 1.0, item(2): pytest.approx(0.25)}


def test_a_good_match_in_both_legs_beats_the_best_of_one() -> None:
    vector = scored(Leg.VECTOR, [(1, 0.8), (2, 0.7)])
    text = scored(Leg.TEXT, [(3, 20.0), (2, 18.0)])
    ranked = rank([vector, text], [10])
    assert [one.item_id for one in ranked] == [item(2), item(1), item(3)]
    assert [one.score for one in ranked] == pytest.approx([0.7 * 0.7 + 0.3 * 0.9, 0.56, 0.3])


def test_a_leg_that_is_unsure_hardly_moves_the_other() -> None:
    # The vectors are all alike, so the words decide; by ranks alone items 1 and 3 would be equal.
    vector = scored(Leg.VECTOR, [(1, 0.31), (2, 0.30), (3, 0.29)])
    text = scored(Leg.TEXT, [(3, 12.0), (2, 6.0), (1, 1.0)])
    assert [one.item_id for one in rank([vector, text], [10])] == [item(3), item(2), item(1)]


def test_what_a_leg_might_still_find_counts_like_the_last_that_it_found() -> None:
    vector = scored(Leg.VECTOR, [(1, 0.9), (2, 0.6)])
    text = scored(Leg.TEXT, [(3, 10.0), (4, 5.0)])
    scores = {one.item_id: one.score for one in rank([vector, text], [2])}
    assert scores[item(1)] == pytest.approx(0.7 * 0.9 + 0.3 * 0.5)
    assert scores[item(3)] == pytest.approx(0.7 * 0.6 + 0.3 * 1.0)


def test_an_opposite_meaning_counts_like_none() -> None:
    vector = scored(Leg.VECTOR, [(1, 0.5), (2, -0.5)])
    text = scored(Leg.TEXT, [(2, 10.0)])
    assert [one.score for one in rank([vector, text], [10])] == pytest.approx([0.35, 0.3])


def test_a_latecomer_stands_behind_what_was_shown_before() -> None:
    # At depth 2 only items 1 and 2 are certain; asked at once for more, item 3 is the best of all.
    vector = scored(Leg.VECTOR, [(1, 0.9), (3, 0.88), (4, 0.1)])
    text = scored(Leg.TEXT, [(2, 10.0), (3, 9.9), (5, 1.0)])
    ranked = rank([vector, text], [2, 4])
    assert [one.item_id for one in ranked][:3] == [item(1), item(2), item(3)]
    assert ranked[2].score <= ranked[1].score
    assert rank([vector, text], [4])[0].item_id == item(3)


def test_a_candidates_hits_take_turns_between_the_legs() -> None:
    legs = [leg_of(Leg.VECTOR, [(1, 0), (1, 1)]), leg_of(Leg.TEXT, [(1, 2), (1, 0)])]
    (one,) = rank(legs, [10])
    assert [hit.ordinal for hit in one.hits(1, 3)] == [0, 2, 1]
    assert [hit.ordinal for hit in one.hits(1, 2)] == [0, 2]
    assert one.revisions == {1}


def test_nothing_found_is_an_empty_ranking() -> None:
    assert list(rank([], [10])) == []
    assert list(rank([leg_of(Leg.VECTOR, []), leg_of(Leg.TEXT, [])], [10, 80])) == []


def test_a_candidate_gives_the_best_hits_of_the_revision_that_is_asked_for() -> None:
    old, new = (
        hits_of(leg_of(Leg.VECTOR, [(1, 0), (1, 1)])),
        hits_of(leg_of(Leg.TEXT, [(1, 2), (1, 3)])),
    )
    leg = as_leg(Leg.TEXT, [old[0], *(replace(hit, revision=2) for hit in new), old[1]])
    (one,) = rank([leg], [10])
    assert one.revisions == {1, 2}
    assert [hit.ordinal for hit in one.hits(2, 5)] == [2, 3]
    assert [hit.ordinal for hit in one.hits(1, 1)] == [0]
