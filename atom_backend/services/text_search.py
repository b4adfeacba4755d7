"""Search without LanceDB: PostgreSQL's own full-text search over the source texts.

It finds by words only, and sees every committed write at once. Invariant (I6): its answers always
say why it was needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.owner_work import TextMatch
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import (
    Degraded,
    Leg,
    SearchAnswer,
    SearchFilter,
    SearchRequest,
    SearchResult,
)
from atom_backend.services.passages import passage_around


def search_text(
    transactions: Transactions,
    principal: Principal,
    request: SearchRequest,
    reasons: Sequence[Degraded],
) -> SearchAnswer:
    """One page of results, by rank."""
    with transactions.owner(principal) as work:
        matches = work.items.search(
            request.query,
            request.kinds,
            request.filter,
            limit=request.limit + 1,
            offset=request.offset,
        )
        named: defaultdict[Kind, list[UUID]] = defaultdict(list)
        for match in matches:
            named[match.kind].append(match.item_id)
        known = work.items.enrich(named, SearchFilter())
    lowest = request.min_score if request.min_score is not None else float("-inf")
    # Between the two statements somebody may have deleted one.
    good = [one for one in matches if one.score >= lowest and one.item_id in known]
    more = len(good) > request.limit
    return SearchAnswer(
        results=tuple(
            _result(request, match, known[match.item_id]) for match in good[: request.limit]
        ),
        legs=(Leg.POSTGRESQL,),
        degraded=tuple(reasons),
        next_offset=request.offset + request.limit if more else None,
    )


def _result(request: SearchRequest, match: TextMatch, stored: Record) -> SearchResult:
    passage = passage_around(request.query, match.text, include_text=request.include_text)
    return SearchResult(
        item_id=match.item_id,
        kind=match.kind,
        title=stored.title,
        score=match.score,
        revision=stored.revision,
        stale=False,
        passages=(passage,),
        stored=stored,
    )
