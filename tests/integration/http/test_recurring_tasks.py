"""Tasks that recur, over HTTP: what follows when one is completed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.conftest import Account

MONDAY = "2030-03-25T08:00:00Z"
"""The last Monday before the clocks of Berlin go forward."""


def a_task(account: Account, **fields: Any) -> Any:
    answer = account.post("/v1/tasks", json={"title": "Water the fern", "due_at": MONDAY} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def complete(account: Account, task: Any) -> Any:
    answer = account.post(f"/v1/tasks/{task['id']}/complete")
    assert answer.status_code == 200, answer.text
    return answer.json


def read(account: Account, item_id: str) -> Any:
    return account.get(f"/v1/tasks/{item_id}").json


def test_completing_makes_the_next_task_by_the_clocks_of_its_zone(account: Account) -> None:
    parent = a_task(account, title="Plants")
    task = a_task(
        account,
        recurrence="freq=weekly",
        time_zone="Europe/Berlin",
        start_at="2030-03-24T08:00:00Z",
        tags=["home"],
        metadata={"pot": 3},
        parent_id=parent["id"],
        external_id="fern",
    )
    assert task["recurrence"] == "FREQ=WEEKLY"
    done = complete(account, task)
    following = read(account, done["followed_by"])
    assert (following["due_at"], following["start_at"]) == (
        "2030-04-01T07:00:00.000000Z",
        "2030-03-31T07:00:00.000000Z",
    )
    for name in ("title", "tags", "metadata", "parent_id", "recurrence", "time_zone"):
        assert following[name] == task[name]
    assert (following["status"], following["completed_at"]) == ("todo", None)
    assert (following["external_id"], following["followed_by"]) == (None, None)
    assert done["external_id"] == "fern"


def test_a_task_that_was_reopened_is_not_followed_twice(account: Account) -> None:
    task = a_task(account, recurrence="FREQ=DAILY")
    first = complete(account, task)["followed_by"]
    account.patch(f"/v1/tasks/{task['id']}", json={"status": "todo"})
    assert complete(account, task)["followed_by"] == first
    assert len(account.get("/v1/tasks").json["items"]) == 2


def test_a_rule_with_a_count_ends(account: Account) -> None:
    task = a_task(account, recurrence="FREQ=DAILY;COUNT=2")
    last = read(account, complete(account, task)["followed_by"])
    assert last["recurrence"] == "FREQ=DAILY;COUNT=1"
    assert complete(account, last)["followed_by"] is None


def test_a_task_that_does_not_recur_is_followed_by_nothing(account: Account) -> None:
    assert complete(account, a_task(account))["followed_by"] is None


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"recurrence": "every monday"}, "/recurrence"),
        ({"recurrence": "FREQ=SECONDLY"}, "/recurrence"),
        ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"}, "/recurrence"),
        ({"recurrence": "FREQ=DAILY;UNTIL=20200101T000000Z"}, "/recurrence"),
        ({"recurrence": "FREQ=DAILY", "due_at": None}, "/due_at"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"followed_by": "01a20216-97d8-7305-a62c-f361e4695dc2"}, "/followed_by"),
    ],
)
def test_what_cannot_recur_is_refused(
    account: Account, fields: dict[str, Any], pointer: str
) -> None:
    given = {"title": "Water the fern", "due_at": MONDAY} | fields
    answer = account.post("/v1/tasks", json=given)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert account.get("/v1/tasks").json["items"] == []


def test_a_due_time_that_the_rule_needs_cannot_be_cleared(account: Account) -> None:
    task = a_task(account, recurrence="FREQ=DAILY")
    answer = account.patch(f"/v1/tasks/{task['id']}", json={"due_at": None})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/due_at")
    ended = account.patch(f"/v1/tasks/{task['id']}", json={"recurrence": None, "due_at": None})
    assert (ended.status_code, ended.json["recurrence"]) == (200, None)
