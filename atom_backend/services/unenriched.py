"""Search while PostgreSQL is down: what LanceDB alone knows of the caller's own partition.

Nobody can say then whether an item was deleted or rewritten since it was indexed, and there is no
row to show. Invariants: no foreign item is answered (I4), for every leg is bound to the caller; no
result claims to have been checked: ``stored`` and ``stale`` are ``None`` (I6).
"""

from __future__ import annotations

from collections.abc import Sequence

from atom_backend.domain.fusion import Candidate, rank
from atom_backend.domain.items import Vector
from atom_backend.domain.ports import VectorSearch
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import (
    Degraded,
    LegHits,
    SearchAnswer,
    SearchMode,
    SearchRequest,
    SearchResult,
)
from atom_backend.services.passages import passage_of


def search_unenriched(
    vectors: VectorSearch,
    principal: Principal,
    request: SearchRequest,
    vector: Vector | None,
    reasons: Sequence[Degraded],
    *,
    first_depth: int,
    deeper: int,
) -> SearchAnswer:
    """One page of results; the request must have no filter, which only PostgreSQL could apply.

    The legs are asked at ``first_depth``, then ``deeper`` times as deep, until the page is full.
    """
    text = request.query if request.mode is not SearchMode.VECTOR or vector is None else None
    end = request.offset + request.limit
    depths = [first_depth]
    while True:
        legs = vectors.search(
            principal.scope, vector=vector, text=text, depth=depths[-1], kinds=request.kinds
        )
        ranked = rank(legs, depths)
        good = [one for one in ranked if _good_enough(one, request)]
        if len(good) > end or len(good) < len(ranked) or _exhausted(legs):
            break
        depths.append(depths[-1] * deeper)
    return SearchAnswer(
        results=tuple(_result(request, one) for one in good[request.offset : end]),
        legs=tuple(leg.leg for leg in legs),
        degraded=tuple(reasons),
        next_offset=end if len(good) > end else None,
    )


def _good_enough(candidate: Candidate, request: SearchRequest) -> bool:
    return request.min_score is None or candidate.score >= request.min_score


def _exhausted(legs: Sequence[LegHits]) -> bool:
    return all(leg.exhausted for leg in legs)


def _result(request: SearchRequest, candidate: Candidate) -> SearchResult:
    """By the newest text that was found: an older one may be there until a worker removes it."""
    newest = max(candidate.revisions)
    shown = candidate.hits(newest, request.chunks)
    return SearchResult(
        item_id=candidate.item_id,
        kind=shown[0].kind,
        title=shown[0].title,
        score=candidate.score,
        revision=newest,
        stale=None,
        passages=tuple(passage_of(request, hit) for hit in shown),
        stored=None,
    )
