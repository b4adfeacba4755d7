"""Cursors come back as they were given out, and only to the question they belong to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.errors import MalformedRequest
from atom_backend.http import cursors
from atom_backend.http.resources.search_shapes import SearchInput, SearchQuery


def asked(**fields: Any) -> SearchInput:
    return SearchInput.model_validate({"query": "tea", **fields}, strict=False)


@given(st.integers(0, 2**32 - 1))
def test_an_offset_cursor_names_its_offset(offset: int) -> None:
    question = asked().question()
    assert cursors.read_offset(cursors.at_offset(question, offset), question) == offset


@pytest.mark.parametrize("text", ["", "x", "ä", "====", "AAAA", "A" * 512, "!" * 22, " " * 22])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        cursors.read_offset(text, asked().question())
    assert caught.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    "other",
    [
        {"query": "coffee"},
        {"mode": "text"},
        {"kinds": ("document",)},
        {"min_score": 0.5},
        {"filter": {"tags": ("a",)}},
        {"filter": {"metadata": {"a": 1}}},
    ],
)
def test_a_cursor_of_another_question_is_refused(other: dict[str, Any]) -> None:
    cursor = cursors.at_offset(asked().question(), 10)
    with pytest.raises(MalformedRequest) as caught:
        cursors.read_offset(cursor, asked(**other).question())
    assert caught.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    "other", [{"limit": 3}, {"include_text": False}, {"chunks": 4}, {"cursor": "x"}]
)
def test_how_results_are_shown_is_no_part_of_the_question(other: dict[str, Any]) -> None:
    cursor = cursors.at_offset(asked().question(), 10)
    assert cursors.read_offset(cursor, asked(**other).question()) == 10


def test_a_cursor_serves_both_ways_of_asking() -> None:
    parameters = SearchQuery.model_validate({"q": "tea", "tag": ["a"], "limit": "3"})
    cursor = cursors.at_offset(asked(filter={"tags": ("a",)}).question(), 10)
    assert cursors.read_offset(cursor, parameters.as_input().question()) == 10
