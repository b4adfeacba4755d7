"""What is shown of an item's text in a search result, with the query's words marked."""

from __future__ import annotations

from atom_backend.domain.highlights import highlights, window
from atom_backend.domain.search import Hit, Passage, SearchRequest


def passage_of(request: SearchRequest, hit: Hit) -> Passage:
    """The chunk that a leg found; without text and marks where they were not asked for."""
    if not request.include_text:
        return Passage(None, hit.start, hit.end, hit.ordinal)
    marks = highlights(request.query, hit.text, offset=hit.start)
    return Passage(hit.text, hit.start, hit.end, hit.ordinal, marks)


def passage_around(query: str, text: str, *, include_text: bool) -> Passage:
    """The part of a whole text that answers the query, where no chunk is known."""
    part = window(query, text)
    shown = text[part.start : part.end]
    marks = highlights(query, shown, offset=part.start)
    return Passage(shown if include_text else None, part.start, part.end, None, marks)
