"""Which of the legs' candidates survive PostgreSQL's word.

Invariant (I4): a survivor was seen by PostgreSQL in a transaction of its owner; whatever is
deleted, foreign, unknown or outside the filter is not one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from atom_backend.domain.documents import Document
from atom_backend.domain.fusion import Candidate
from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import Hit, SearchRequest, SearchResult
from atom_backend.services.passages import passage_of

_MARGIN = 4
"""Candidates checked beyond the page, so that a few dropped ones cost no second query."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A candidate that PostgreSQL knows."""

    candidate: Candidate
    stored: Document | Record

    def result(self, request: SearchRequest) -> SearchResult:
        """What is answered of it."""
        shown = self._shown(request.chunks)
        stored = self.stored
        return SearchResult(
            item_id=stored.id,
            kind=shown[0].kind,
            title=stored.title,
            score=self.candidate.score,
            revision=stored.revision,
            stale=shown[0].revision != stored.content_revision,
            passages=tuple(passage_of(request, hit) for hit in shown),
            stored=stored,
        )

    def _shown(self, count: int) -> list[Hit]:
        """The best chunks of the present text, or of an older one while that is all there is."""
        revisions = {hit.revision for hit in self.candidate.hits}
        wanted = self.stored.content_revision
        revision = wanted if wanted in revisions else max(revisions)
        return [hit for hit in self.candidate.hits if hit.revision == revision][:count]


@dataclass
class Checked:
    """Which candidates survive PostgreSQL's word, asked for as few as the page needs."""

    transactions: Transactions
    principal: Principal
    request: SearchRequest
    known: dict[UUID, Document | Record | None] = field(default_factory=dict)

    def survivors(self, candidates: Sequence[Candidate]) -> list[Survivor]:
        """In the candidates' order, as many as show whether there is a next page."""
        needed = items_needed(self.request)
        candidates = [one for one in candidates if self.good_enough(one)]
        survivors: list[Survivor] = []
        place = 0
        while place < len(candidates) and len(survivors) < needed:
            batch = candidates[place : place + needed - len(survivors) + _MARGIN]
            self._learn(batch)
            place += len(batch)
            for candidate in batch:
                stored = self.known[candidate.item_id]
                if stored is not None:
                    survivors.append(Survivor(candidate, stored))
        return survivors[:needed]

    def good_enough(self, candidate: Candidate) -> bool:
        return self.request.min_score is None or candidate.score >= self.request.min_score

    def _learn(self, batch: Sequence[Candidate]) -> None:
        unknown: defaultdict[Kind, list[UUID]] = defaultdict(list)
        for one in batch:
            if one.item_id not in self.known:
                unknown[one.hits[0].kind].append(one.item_id)
        if unknown:
            with self.transactions.owner(self.principal) as work:
                found = work.items.enrich(unknown, self.request.filter)
            self.known.update({one: found.get(one) for ids in unknown.values() for one in ids})


def items_needed(request: SearchRequest) -> int:
    """How many items show whether there is a next page."""
    return request.offset + request.limit + 1
