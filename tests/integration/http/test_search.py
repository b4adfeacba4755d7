"""Searching over HTTP, by body and by parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.http.conftest import Account

TEA = "Green tea wants water of 80 degrees. Black tea wants it boiling."
VIOLIN = "The violin has four strings, tuned in fifths."


@pytest.fixture
def filled(account: Account, index: Callable[[], None]) -> Account:
    account.store(title="Tea", text=TEA, tags=["kitchen"], source="notes", metadata={"n": 1})
    account.store(title="Violin", text=VIOLIN, tags=["music"], metadata={"n": 2})
    index()
    return account


def ask(account: Account, **question: Any) -> Any:
    answer = account.post("/v1/search", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json


def titles(answer: Any) -> list[str]:
    return [one["title"] for one in answer["results"]]


def test_a_result_shows_its_passage_with_offsets_and_highlights(filled: Account) -> None:
    answer = ask(filled, query="how hot is water for green tea", limit=1)
    assert titles(answer) == ["Tea"]
    assert (answer["legs"], answer["degraded"]) == (["vector", "text"], [])
    assert answer["took_ms"] > 0
    (result,) = answer["results"]
    chunk = result["chunk"]
    assert TEA[chunk["start"] : chunk["end"]] == chunk["text"]
    marked = [TEA[one["start"] : one["end"]] for one in chunk["highlights"]]
    assert "Green" in marked
    assert result["highlights"] == chunk["highlights"]
    assert (result["kind"], result["stale"]) == ("document", False)
    assert result["document"]["id"] == result["item_id"]


@pytest.mark.parametrize(
    "conditions",
    [
        {"tags": ["music"]},
        {"metadata": {"n": 2}},
        {"created_after": "2020-01-01T00:00:00Z", "tags": ["music"]},
    ],
)
def test_a_filter_holds(filled: Account, conditions: dict[str, Any]) -> None:
    assert titles(ask(filled, query="water for tea", filter=conditions)) == ["Violin"]


def test_both_ways_of_asking_give_the_same(filled: Account) -> None:
    body = ask(filled, query="tea", filter={"tags": ["kitchen"], "source": "notes"}, chunks=2)
    asked = filled.get("/v1/search?q=tea&tag=kitchen&source=notes&chunks=2&kinds=document").json
    assert asked["results"] == body["results"]


def test_facets_count_what_the_search_chooses_from(filled: Account, stranger: Account) -> None:
    stranger.store(tags=["kitchen", "foreign"])
    filled.post("/v1/tasks", json={"title": "Buy tea", "due_at": "2031-01-31T23:30:00-01:00"})
    facets = ask(filled, query="tea", facets=["kind", "tag", "month", "tag"])["facets"]
    assert facets["kind"] == {
        "values": [{"value": "document", "count": 2}, {"value": "task", "count": 1}],
        "further": 0,
    }
    values = {facet: [one["value"] for one in facets[facet]["values"]] for facet in facets}
    assert values["tag"] == ["kitchen", "music"]
    assert (values["month"][0], len(values["month"])) == ("2031-02", 2)
    asked = filled.get("/v1/search?q=tea&facets=kind&facets=tag&kinds=document&tag=kitchen").json
    assert asked["facets"] == {
        "kind": {"values": [{"value": "document", "count": 1}], "further": 0},
        "tag": {"values": [{"value": "kitchen", "count": 1}], "further": 0},
        "month": None,
    }
    assert ask(filled, query="tea")["facets"] is None


def test_a_cursor_goes_on_whether_or_not_facets_are_asked_for(filled: Account) -> None:
    first = ask(filled, query="tea", limit=1, facets=["kind"])
    second = ask(filled, query="tea", limit=1, cursor=first["next_cursor"])
    assert (len(second["results"]), second["facets"]) == (1, None)


def test_pages_follow_each_other(filled: Account) -> None:
    first = filled.get("/v1/search?q=tea&limit=1").json
    second = filled.get(f"/v1/search?q=tea&limit=1&cursor={first['next_cursor']}").json
    assert titles(first) + titles(second) == titles(ask(filled, query="tea"))
    assert second["next_cursor"] is None
    for query in (f"q=coffee&cursor={first['next_cursor']}", "q=tea&cursor="):
        other = filled.get(f"/v1/search?{query}")
        assert (other.status_code, other.json["code"]) == (400, "invalid_cursor")


def test_the_text_can_be_left_out(filled: Account) -> None:
    answer = filled.get("/v1/search?q=tea&include_text=false").json
    assert {one["chunk"]["text"] for one in answer["results"]} == {None}


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({}, "/query"),
        ({"query": " "}, "/query"),
        ({"query": "x" * 4001}, "/query"),
        ({"query": "x", "limit": 101}, "/limit"),
        ({"query": "x", "mode": "magic"}, "/mode"),
        ({"query": "x", "kinds": ["planet"]}, "/kinds/0"),
        ({"query": "x", "filter": {"owner": "me"}}, "/filter/owner"),
        ({"query": "x", "filter": {"created_after": "today"}}, "/filter/created_after"),
        ({"query": "x", "chunks": 11}, "/chunks"),
        ({"query": "x", "facets": ["month", "owner"]}, "/facets/1"),
    ],
)
def test_a_question_is_checked(account: Account, question: dict[str, Any], pointer: str) -> None:
    answer = account.post("/v1/search", json=question)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_nothing_foreign_is_found(filled: Account, stranger: Account) -> None:
    for mode in ("hybrid", "vector", "text"):
        assert ask(stranger, query="green tea", mode=mode)["results"] == []


def test_what_is_removed_is_not_found_before_the_index_knows(filled: Account) -> None:
    item = ask(filled, query="tea", limit=1)["results"][0]["item_id"]
    filled.delete(f"/v1/documents/{item}")
    assert "Tea" not in titles(ask(filled, query="green tea"))
