"""Searching by meaning and by words."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from flask import Response

from atom_backend.domain.permissions import Scope
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.facet_shapes import FacetsAnswer
from atom_backend.http.resources.result_shapes import result_answer, similar_item_answer
from atom_backend.http.resources.search_shapes import (
    SearchAnswer,
    SearchInput,
    SearchQuery,
    SimilarAnswer,
    SimilarQuery,
)

routes = Routes("search", "Finding what was stored.")

_FOUND = Answer(
    200, "A page of results; see `degraded` before believing an empty one.", SearchAnswer
)


@routes.add("POST", "/v1/search", _FOUND, needs=Scope.SEARCH)
def search(call: Call[None, SearchInput]) -> Response:
    """Find items by meaning, by words, or both.

    Further pages: the same question with `cursor` set to the last answer's `next_cursor`.
    """
    return _answer(call, call.body)


@routes.add("GET", "/v1/search", _FOUND, needs=Scope.SEARCH)
def search_by_parameters(call: Call[SearchQuery, None]) -> Response:
    """Find items, asked by query parameters."""
    return _answer(call, call.query.as_input())


@routes.add(
    "GET",
    "/v1/items/{item_id}/similar",
    Answer(200, "The nearest items, and not the item itself.", SimilarAnswer),
    needs=Scope.SEARCH,
    problems=(409,),
)
def similar_items(call: Call[SimilarQuery, None], item_id: UUID) -> Response:
    """The items that are most similar to one of any kind, by meaning.

    409 `not_indexed` while the item waits to be indexed, or could not be.
    """
    begun = time.perf_counter()
    found = call.services.similar.similar(call.principal, item_id, call.query.request())
    return json_reply(
        SimilarAnswer(
            results=[similar_item_answer(item) for item in found.results],
            stale=found.stale,
            took_ms=_since(begun),
        )
    )


def _answer(call: Call[Any, Any], asked: SearchInput) -> Response:
    begun = time.perf_counter()
    question = asked.question()
    offset = 0 if asked.cursor is None else cursors.read_offset(asked.cursor, question)
    found = call.services.search.search(call.principal, asked.request(offset))
    for reason in found.degraded:
        call.services.metrics.search_degraded(reason)
    following = found.next_offset
    return json_reply(
        SearchAnswer(
            results=[result_answer(result) for result in found.results],
            legs=list(found.legs),
            degraded=list(found.degraded),
            facets=None if found.counts is None else FacetsAnswer.of(found.counts),
            next_cursor=None if following is None else cursors.at_offset(question, following),
            took_ms=_since(begun),
        )
    )


def _since(begun: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - begun) * 1000, 2)
