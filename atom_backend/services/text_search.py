"""Search without LanceDB: PostgreSQL's own full-text search over the source texts.

It finds by words only, and sees every committed write at once. Invariant (I6): its answers always
say why it was needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import (
    Degraded,
    Leg,
    SearchAnswer,
    SearchRequest,
    SearchResult,
)
from atom_backend.domain.transactions import TextMatch
from atom_backend.services.passages import passage_around


def search_text(
    transactions: Transactions,
    principal: Principal,
    request: SearchRequest,
    reasons: Sequence[Degraded],
) -> SearchAnswer:
    """One page of results, by rank."""
    matches: list[TextMatch] = []
    with transactions.owner(principal) as work:
        if not request.kinds or Kind.DOCUMENT in request.kinds:
            matches = work.documents.search(
                request.query, request.filter, limit=request.limit + 1, offset=request.offset
            )
    lowest = request.min_score if request.min_score is not None else float("-inf")
    good = [match for match in matches if match.score >= lowest]
    more = len(good) > request.limit
    return SearchAnswer(
        results=tuple(_result(request, match) for match in good[: request.limit]),
        legs=(Leg.POSTGRESQL,),
        degraded=tuple(reasons),
        next_offset=request.offset + request.limit if more else None,
    )


def _result(request: SearchRequest, match: TextMatch) -> SearchResult:
    passage = passage_around(request.query, match.text, include_text=request.include_text)
    return SearchResult(
        item_id=match.document.id,
        kind=Kind.DOCUMENT,
        title=match.document.title,
        score=match.score,
        revision=match.document.revision,
        stale=False,
        passages=(passage,),
        document=match.document,
    )
