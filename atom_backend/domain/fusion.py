"""From the legs' chunks to one ranking of items.

Hybrid search adds the legs' scores, weighted, over items: an item counts by its best chunk. (A
convex combination of scores scaled by their bounds: Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.) Fusing ranks instead falls below the
better leg wherever the other one is weak, because a rank does not say how sure a leg is.

A question whose first look does not fill the page is asked again, deeper. Invariant: looking
deeper never reorders what was ranked before, so pages neither repeat nor skip an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import overload
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.search import Hit, Leg, LegHits

WEIGHTS = {Leg.VECTOR: 0.7, Leg.TEXT: 0.3}
"""How much each leg's opinion counts. docs/benchmarks.md says what other weights give."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a leg found, and the places of all its hits in the legs, the best first.

    ``score`` is the leg's own where one leg ran, else the fused score in [0, 1].
    """

    item_id: UUID
    score: float
    places: tuple[tuple[LegHits, int], ...]

    @property
    def kind(self) -> Kind:
        leg, place = self.places[0]
        return leg.kinds[place]

    @property
    def revisions(self) -> set[int]:
        """Of which the item was found."""
        return {leg.revisions[place] for leg, place in self.places}

    def hits(self, revision: int, count: int) -> list[Hit]:
        """So many of the best of one revision."""
        there = (one for one in self.places if one[0].revisions[one[1]] == revision)
        return [leg.hit(place) for leg, place in islice(there, count)]


class Ranking(Sequence[Candidate]):
    """Items, best first. A candidate is made when it is looked at: a page shows few of them."""

    def __init__(self, scores: Mapping[bytes, float], legs: Sequence[LegHits]) -> None:
        self._order = list(scores.items())
        self._legs = legs
        self._places = [_places(leg) for leg in legs]

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> list[Candidate]: ...
    def __getitem__(self, place: int | slice) -> Candidate | list[Candidate]:
        if isinstance(place, slice):
            return [self._candidate(*one) for one in self._order[place]]
        return self._candidate(*self._order[place])

    def _candidate(self, item: bytes, score: float) -> Candidate:
        return Candidate(UUID(bytes=item), score, tuple(self._hits(item)))

    def _hits(self, item: bytes) -> Iterator[tuple[LegHits, int]]:
        """The legs take turns, and a chunk that both found is listed once."""
        seen: set[bytes] = set()
        for place, number in sorted(
            (place, number)
            for number, places in enumerate(self._places)
            for place in places.get(item, ())
        ):
            leg = self._legs[number]
            if leg.chunks[place] not in seen:
                seen.add(leg.chunks[place])
                yield leg, place


def rank(legs: Sequence[LegHits], depths: Sequence[int]) -> Ranking:
    """All items of the legs, best first.

    ``depths`` are the depths that were asked for so far, ascending: items that the first look
    saw come before those that only a deeper one saw.
    """
    scores: dict[bytes, float] = {}
    lowest = float("inf")
    for depth in depths:
        for item, score in _scores(legs, depth):
            if item not in scores:
                lowest = min(lowest, score)
                scores[item] = lowest
    return Ranking(scores, legs)


def _scores(legs: Sequence[LegHits], depth: int) -> list[tuple[bytes, float]]:
    """Items by falling score, as seen by a look at ``depth`` hits of every leg."""
    if len(legs) == 1:
        best: dict[bytes, float] = {}
        for item, score in _certain(legs[0], depth):
            best.setdefault(item, score)
        return list(best.items())
    opinions = [(WEIGHTS[leg.leg], _Opinion.of(leg, depth)) for leg in legs]
    found = dict.fromkeys(item for _, opinion in opinions for item in opinion.strengths)
    fused = {
        item: sum(weight * opinion.strength(item) for weight, opinion in opinions) for item in found
    }
    return sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))


@dataclass(frozen=True, slots=True)
class _Opinion:
    """How strongly a leg speaks for items, in [0, 1].

    A cosine similarity is taken as it is, below 0 as 0; BM25 knows no bound and is divided by the
    question's best. Beyond ``depth`` nothing is known, so an item that was not found counts like
    one at the border; where the leg had no more to give, it counts nothing.
    """

    strengths: dict[bytes, float]
    beyond: float

    @classmethod
    def of(cls, leg: LegHits, depth: int) -> _Opinion:
        best = 1.0 if leg.leg is Leg.VECTOR or not leg.scores else leg.scores[0]
        strengths: dict[bytes, float] = {}
        for item, score in _certain(leg, depth):
            strengths.setdefault(item, max(score, 0.0) / best)
        return cls(strengths, beyond=max(_border(leg, depth), 0.0) / best)

    def strength(self, item: bytes) -> float:
        return self.strengths.get(item, self.beyond)


def _certain(leg: LegHits, depth: int) -> Iterator[tuple[bytes, float]]:
    """The items and scores that every look sees which is at least so deep.

    Which of equal scores stand just inside a border is chance, and another look may see others
    there; so a look speaks only for what is better than the last hit within its depth.
    """
    border = _border(leg, depth)
    for item, score in islice(zip(leg.items, leg.scores, strict=True), depth):
        if score > border:
            yield item, score


def _border(leg: LegHits, depth: int) -> float:
    """The lowest score within ``depth``; below all where the leg had no more to give."""
    return leg.scores[depth - 1] if len(leg.scores) >= depth else float("-inf")


def _places(leg: LegHits) -> dict[bytes, list[int]]:
    """Where the hits of each item are."""
    places: dict[bytes, list[int]] = {}
    for place, item in enumerate(leg.items):
        places.setdefault(item, []).append(place)
    return places
