"""Which candidates of the vector store survive PostgreSQL's word.

Invariant (I4): a survivor was seen by PostgreSQL in a transaction of its owner; whatever is
deleted, foreign, unknown or outside the filter is not one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import SearchFilter

_MARGIN = 4
"""Candidates checked beyond the page, so that a few dropped ones cost no second query."""


class Suggestion(Protocol):
    """What the vector store says of an item."""

    @property
    def item_id(self) -> UUID: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def score(self) -> float: ...


Suggested = TypeVar("Suggested", bound=Suggestion)


@dataclass(frozen=True, slots=True)
class Survivor(Generic[Suggested]):
    """A candidate that PostgreSQL knows."""

    candidate: Suggested
    stored: Record


@dataclass
class Checked(Generic[Suggested]):
    """Which candidates survive PostgreSQL's word, asked for as few as are ``needed``."""

    transactions: Transactions
    principal: Principal
    conditions: SearchFilter
    min_score: float | None
    needed: int
    known: dict[UUID, Record | None] = field(default_factory=dict)

    def survivors(self, candidates: Sequence[Suggested]) -> list[Survivor[Suggested]]:
        """In the candidates' order, at most ``needed``; the candidates' scores never rise."""
        survivors: list[Survivor[Suggested]] = []
        place = 0
        while place < len(candidates) and len(survivors) < self.needed:
            batch = candidates[place : place + self.needed - len(survivors) + _MARGIN]
            good = [one for one in batch if self.good_enough(one)]
            self._learn(good)
            for candidate in good:
                stored = self.known[candidate.item_id]
                if stored is not None:
                    survivors.append(Survivor(candidate, stored))
            if len(good) < len(batch):
                break
            place += len(batch)
        return survivors[: self.needed]

    def good_enough(self, candidate: Suggested) -> bool:
        return self.min_score is None or candidate.score >= self.min_score

    def _learn(self, batch: Sequence[Suggested]) -> None:
        unknown: defaultdict[Kind, list[UUID]] = defaultdict(list)
        for one in batch:
            if one.item_id not in self.known:
                unknown[one.kind].append(one.item_id)
        if unknown:
            with self.transactions.owner(self.principal) as work:
                found = work.items.enrich(unknown, self.conditions)
            self.known.update({one: found.get(one) for ids in unknown.values() for one in ids})
