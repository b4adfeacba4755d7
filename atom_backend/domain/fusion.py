"""From the legs' chunks to one ranking of items.

Hybrid search adds the legs' scores, weighted, over items: an item counts by its best chunk. (A
convex combination of scores scaled by their bounds: Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.) Fusing ranks instead falls below the
better leg wherever the other one is weak, because a rank does not say how sure a leg is.

A question whose first look does not fill the page is asked again, deeper. Invariant: looking
deeper never reorders what was ranked before, so pages neither repeat nor skip an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.search import Hit, Leg, LegHits

WEIGHTS = {Leg.VECTOR: 0.7, Leg.TEXT: 0.3}
"""How much each leg's opinion counts. docs/benchmarks.md says what other weights give."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a leg found, with all its hits, the best first.

    ``score`` is the leg's own where one leg ran, else the fused score in [0, 1].
    """

    item_id: UUID
    score: float
    hits: tuple[Hit, ...]

    @property
    def kind(self) -> Kind:
        return self.hits[0].kind


def rank(legs: Sequence[LegHits], depths: Sequence[int]) -> list[Candidate]:
    """All items of the legs, best first.

    ``depths`` are the depths that were asked for so far, ascending: items that the first look
    saw come before those that only a deeper one saw.
    """
    hits = _hits_by_item(legs)
    scores: dict[UUID, float] = {}
    lowest = float("inf")
    for depth in depths:
        for item_id, score in _scores(legs, depth):
            if item_id not in scores:
                lowest = min(lowest, score)
                scores[item_id] = lowest
    return [Candidate(item_id, score, hits[item_id]) for item_id, score in scores.items()]


def _scores(legs: Sequence[LegHits], depth: int) -> list[tuple[UUID, float]]:
    """Items by falling score, as seen by a look at ``depth`` hits of every leg."""
    if len(legs) == 1:
        best: dict[UUID, float] = {}
        for hit in _certain(legs[0], depth):
            best.setdefault(hit.item_id, hit.score)
        return list(best.items())
    opinions = [(WEIGHTS[leg.leg], _Opinion.of(leg, depth)) for leg in legs]
    found = dict.fromkeys(item_id for _, opinion in opinions for item_id in opinion.strengths)
    fused = {
        item_id: sum(weight * opinion.strength(item_id) for weight, opinion in opinions)
        for item_id in found
    }
    return sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))


@dataclass(frozen=True, slots=True)
class _Opinion:
    """How strongly a leg speaks for items, in [0, 1].

    A cosine similarity is taken as it is, below 0 as 0; BM25 knows no bound and is divided by the
    question's best. Beyond ``depth`` nothing is known, so an item that was not found counts like
    one at the border; where the leg had no more to give, it counts nothing.
    """

    strengths: dict[UUID, float]
    beyond: float

    @classmethod
    def of(cls, leg: LegHits, depth: int) -> _Opinion:
        best = 1.0 if leg.leg is Leg.VECTOR or not leg.hits else leg.hits[0].score
        strengths: dict[UUID, float] = {}
        for hit in _certain(leg, depth):
            strengths.setdefault(hit.item_id, max(hit.score, 0.0) / best)
        return cls(strengths, beyond=max(_border(leg, depth), 0.0) / best)

    def strength(self, item_id: UUID) -> float:
        return self.strengths.get(item_id, self.beyond)


def _certain(leg: LegHits, depth: int) -> Sequence[Hit]:
    """What every look that is at least so deep sees.

    Which of equal scores stand just inside a border is chance, and another look may see others
    there; so a look speaks only for what is better than the last hit within its depth.
    """
    border = _border(leg, depth)
    return [hit for hit in leg.hits[:depth] if hit.score > border]


def _border(leg: LegHits, depth: int) -> float:
    """The lowest score within ``depth``; below all where the leg had no more to give."""
    return leg.hits[depth - 1].score if len(leg.hits) >= depth else float("-inf")


def _hits_by_item(legs: Sequence[LegHits]) -> dict[UUID, tuple[Hit, ...]]:
    """Every item's hits: the legs take turns, and a chunk that both found is listed once."""
    collected: dict[UUID, list[Hit]] = {}
    seen: set[UUID] = set()
    longest = max((len(leg.hits) for leg in legs), default=0)
    for place in range(longest):
        for leg in legs:
            if place < len(leg.hits) and leg.hits[place].chunk_id not in seen:
                hit = leg.hits[place]
                seen.add(hit.chunk_id)
                collected.setdefault(hit.item_id, []).append(hit)
    return {item_id: tuple(hits) for item_id, hits in collected.items()}
