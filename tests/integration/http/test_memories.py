"""Memories over HTTP: what an assistant learned, and what holds instead."""

from __future__ import annotations

import uuid
from typing import Any

from tests.integration.http.conftest import Account


def a_memory(account: Account, text: str = "Likes tea.", **fields: Any) -> Any:
    answer = account.post("/v1/memories", json={"text": text} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def supersede(account: Account, old: Any, new: str) -> Any:
    return account.patch(f"/v1/memories/{old['id']}", json={"superseded_by": new})


def test_a_newer_fact_supersedes_and_the_older_one_stays(account: Account) -> None:
    old, new = a_memory(account), a_memory(account, "Likes coffee now.")
    ended = supersede(account, old, new["id"])
    assert (ended.status_code, ended.json["superseded_by"]) == (200, new["id"])
    assert ended.json["valid_to"] is not None
    assert ended.json["text"] == "Likes tea."
    found = account.get(f"/v1/memories?superseded_by={new['id']}").json["items"]
    assert [one["id"] for one in found] == [old["id"]]


def test_the_end_that_was_given_is_kept(account: Account) -> None:
    old = a_memory(account, valid_to="2025-01-01T00:00:00Z")
    ended = supersede(account, old, a_memory(account)["id"])
    assert ended.json["valid_to"] == "2025-01-01T00:00:00.000000Z"


def test_no_fact_supersedes_itself_by_however_many_steps(account: Account) -> None:
    one, two, three = (a_memory(account) for _ in range(3))
    assert supersede(account, one, two["id"]).status_code == 200
    assert supersede(account, two, three["id"]).status_code == 200
    for newer in (one, two, three):
        answer = supersede(account, three, newer["id"])
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "/superseded_by"


def test_only_a_fact_of_ones_own_supersedes(account: Account, stranger: Account) -> None:
    old = a_memory(account)
    for newer in (a_memory(stranger)["id"], str(uuid.uuid4()), account.store()["id"]):
        assert supersede(account, old, newer).status_code == 422


def test_a_fact_cannot_end_before_it_begins(account: Account) -> None:
    given = {"text": "x", "valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}
    answer = account.post("/v1/memories", json=given)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/valid_to")


def test_a_memory_says_what_it_was_learned_from(account: Account) -> None:
    document = account.store()
    made = a_memory(account, source_item_id=document["id"], confidence=0.5)
    found = account.get(f"/v1/memories?source_item_id={document['id']}").json["items"]
    assert (found, made["confidence"]) == ([made], 0.5)
