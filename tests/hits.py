"""What a leg found, whole."""

from __future__ import annotations

from atom_backend.domain.search import Hit, LegHits


def hits_of(leg: LegHits) -> list[Hit]:
    """Every hit, best first."""
    return [leg.hit(place) for place in range(len(leg.items))]
