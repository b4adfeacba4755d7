"""Similar items, as values: the question, what the vector store says, and the answer.

Items are compared as wholes, by their document-level embeddings. Invariant: an item is never among
those that are similar to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import SearchFilter


@dataclass(frozen=True, slots=True)
class SimilarRequest:
    """How many to give, and which: ``kinds`` empty means all."""

    limit: int = 10
    kinds: frozenset[Kind] = frozenset()
    filter: SearchFilter = field(default_factory=SearchFilter)
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An item by its embedding at ``revision``. ``score``: cosine similarity."""

    item_id: UUID
    kind: Kind
    revision: int
    score: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Best first, equal scores by identifier. ``exhausted``: there are no more."""

    items: tuple[Neighbour, ...]
    exhausted: bool


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """An item as PostgreSQL has it. ``stale``: compared by an older text than today's."""

    stored: Record
    kind: Kind
    score: float
    stale: bool


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """Best first. ``stale``: the item that was asked about was compared by an older text."""

    results: tuple[SimilarItem, ...]
    stale: bool
