"""Similar items over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.integration.http.conftest import Account

LEAF = "Green tea wants water of 80 degrees."


def test_similar_items_are_shown_as_their_own_addresses_show_them(
    account: Account, stranger: Account, index: Callable[[], None]
) -> None:
    asked = account.store(title="Tea", text=LEAF)["id"]
    path = f"/v1/items/{asked}/similar"
    waiting = account.get(path)
    assert (waiting.status_code, waiting.json["code"]) == (409, "not_indexed")
    violin = account.store(title="Violin", text="The violin has four strings.", tags=["music"])
    task = account.post("/v1/tasks", json={"title": "Brew green tea", "tags": ["kitchen"]}).json
    stranger.store(title="Tea", text=LEAF)
    index()
    answer = account.get(path).json
    assert [one["item_id"] for one in answer["results"]] == [task["id"], violin["id"]]
    assert (answer["stale"], answer["took_ms"] > 0) == (False, True)
    first, second = answer["results"]
    assert (first["kind"], first["title"], first["stale"]) == ("task", "Brew green tea", False)
    assert first["task"] == account.get(f"/v1/tasks/{task['id']}").json
    assert second["document"] == account.get(f"/v1/documents/{violin['id']}").json
    assert first["document"] is second["task"] is None
    for query, left in (
        ("limit=1", ["task"]),
        ("kinds=document", ["document"]),
        ("tag=music", ["document"]),
        ("created_before=2000-01-01T00:00:00Z", []),
        (f"min_score={first['score']}", ["task"]),
    ):
        results = account.get(f"{path}?{query}").json["results"]
        assert [one["kind"] for one in results] == left, query
    account.delete(f"/v1/tasks/{task['id']}")
    assert [one["kind"] for one in account.get(path).json["results"]] == ["document"]
    for unknown in (stranger.get(path), account.get(f"/v1/items/{uuid.uuid4()}/similar")):
        assert (unknown.status_code, unknown.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=101", 422),
        ("kinds=planet", 422),
        ("min_score=nan", 422),
        ("happens_after=yesterday", 422),
        ("tag=%00", 422),
        ("tag=%ED%A0%80", 400),
        ("depth=9", 400),
    ],
)
def test_what_is_asked_is_checked(account: Account, query: str, status: int) -> None:
    answer = account.get(f"/v1/items/{uuid.uuid4()}/similar?{query}")
    assert answer.status_code == status
