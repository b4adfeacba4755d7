"""From the legs' chunks to one ranking of items.

Hybrid search is weighted reciprocal rank fusion (Cormack, Clarke and Buettcher, "Reciprocal Rank
Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009) over items: an
item stands in a leg where its best chunk stands.

A question whose first look does not fill the page is asked again, deeper. Invariant: looking
deeper never reorders what was ranked before, so pages neither repeat nor skip an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.search import Hit, Leg, LegHits

RRF_CONSTANT = 60
"""The paper's constant: how slowly a rank loses weight."""

WEIGHTS = {Leg.VECTOR: 1.0, Leg.TEXT: 1.0}
"""How much each leg's opinion counts."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a leg found, with all its hits, the best first.

    ``score`` is the leg's own where one leg ran, else the fused score scaled to (0, 1], 1 being
    an item that stands first in every leg.
    """

    item_id: UUID
    score: float
    hits: tuple[Hit, ...]


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
    """Items by falling score, as seen by the first ``depth`` hits of every leg."""
    if len(legs) == 1:
        best: dict[UUID, float] = {}
        for hit in legs[0].hits[:depth]:
            best.setdefault(hit.item_id, hit.score)
        return list(best.items())
    fused: dict[UUID, float] = {}
    highest = sum(WEIGHTS[leg.leg] for leg in legs) / (RRF_CONSTANT + 1)
    for leg in legs:
        for place, item_id in enumerate(_items(leg.hits[:depth]), start=1):
            share = WEIGHTS[leg.leg] / (RRF_CONSTANT + place)
            fused[item_id] = fused.get(item_id, 0.0) + share / highest
    return sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))


def _items(hits: Sequence[Hit]) -> Iterable[UUID]:
    """The items of a leg, each where its best chunk stands."""
    return dict.fromkeys(hit.item_id for hit in hits)


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
