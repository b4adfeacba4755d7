"""Search, as values: the question, the legs' raw hits, and the answer.

Invariant (I6): an answer names the legs that ran and every reason why one did not; "down" cannot
be confused with "empty".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from atom_backend.domain.facets import Counts, Facet
from atom_backend.domain.items import Kind, Span
from atom_backend.domain.resources.rules import Record


class SearchMode(StrEnum):
    """Which legs are asked."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


class Leg(StrEnum):
    """A way of finding; ``POSTGRESQL`` answers when LanceDB cannot."""

    VECTOR = "vector"
    TEXT = "text"
    POSTGRESQL = "postgresql"


class Degraded(StrEnum):
    """What was missing when an answer was made."""

    LANCEDB = "lancedb"
    EMBEDDER = "embedder"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which items may be found; every given condition must hold.

    ``tags``: the item has all of them. ``metadata``: the item's metadata contains this JSON
    object (PostgreSQL's ``@>``). ``happens_…``: the item's own time, which not every item has.
    ``…_after`` is inclusive, ``…_before`` exclusive.
    """

    tags: tuple[str, ...] = ()
    source: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    happens_after: datetime | None = None
    happens_before: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return self == SearchFilter()


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One page of one question; ``chunks`` is how many passages to show of each item.

    ``offset`` counts the results of the earlier pages.
    """

    query: str
    limit: int = 10
    mode: SearchMode = SearchMode.HYBRID
    kinds: frozenset[Kind] = frozenset()
    filter: SearchFilter = SearchFilter()
    min_score: float | None = None
    include_text: bool = True
    chunks: int = 1
    offset: int = 0
    facets: frozenset[Facet] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that a leg found. ``score``: cosine similarity (vector leg) or BM25 (text leg).

    ``title`` and ``text`` come along because asking for them afterwards would take longer than the
    leg itself; they are those of ``revision``.
    """

    chunk_id: UUID
    item_id: UUID
    kind: Kind
    revision: int
    ordinal: int
    start: int
    end: int
    score: float
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class LegHits:
    """A leg's hits, best first, by columns. ``exhausted``: no further match is behind the last one.

    Most hits only have a say in the order of items and are never shown. So there are columns to
    order and to choose by, with identifiers as 16 bytes, and ``hit`` makes the one at a place when
    it is asked for: making all of them takes as long as finding them.
    """

    leg: Leg
    items: Sequence[bytes]
    chunks: Sequence[bytes]
    kinds: Sequence[Kind]
    revisions: Sequence[int]
    scores: Sequence[float]
    exhausted: bool
    hit: Callable[[int], Hit]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an item's text; ``ordinal`` is ``None`` where no chunk was involved."""

    text: str | None
    start: int
    end: int
    ordinal: int | None
    highlights: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One item, with its best passage first. ``stale``: found by an older text than today's.

    ``stored`` and ``stale`` are ``None`` where PostgreSQL could not be asked: the item may have
    been deleted or rewritten since.
    """

    item_id: UUID
    kind: Kind
    title: str
    score: float
    revision: int
    stale: bool | None
    passages: tuple[Passage, ...]
    stored: Record | None

    @property
    def enriched(self) -> bool:
        """Whether PostgreSQL said that the item exists and is the caller's."""
        return self.stored is not None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page of results; ``next_offset`` is ``None`` on the last one.

    ``counts`` is ``None`` where no facet was asked for, or PostgreSQL could not be.
    """

    results: tuple[SearchResult, ...]
    legs: tuple[Leg, ...]
    degraded: tuple[Degraded, ...]
    next_offset: int | None
    counts: Counts | None = None
