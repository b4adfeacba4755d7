"""Tasks over HTTP: completion, parts, due times, and being found."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from tests.integration.http.conftest import Account

PAST, LATER, LATEST = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"


def a_task(account: Account, title: str = "Sweep", **fields: Any) -> Any:
    answer = account.post("/v1/tasks", json={"title": title} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def change(account: Account, task: Any, **fields: Any) -> Any:
    return account.patch(f"/v1/tasks/{task['id']}", json=fields)


def titles(account: Account, query: str) -> list[str]:
    answer = account.get(f"/v1/tasks?{query}")
    assert answer.status_code == 200, answer.text
    return [one["title"] for one in answer.json["items"]]


def test_a_task_is_completed_exactly_while_its_status_says_so(account: Account) -> None:
    task = a_task(account)
    done = account.post(f"/v1/tasks/{task['id']}/complete")
    assert (done.status_code, done.json["status"]) == (200, "done")
    since = done.json["completed_at"]
    assert since is not None
    assert change(account, task, notes="Under the bed too.").json["completed_at"] == since
    assert account.post(f"/v1/tasks/{task['id']}/complete").json["completed_at"] == since
    assert change(account, task, status="blocked").json["completed_at"] is None
    assert a_task(account, status="done")["completed_at"] is not None


def test_nobody_completes_what_has_changed_meanwhile(account: Account) -> None:
    task = a_task(account)
    change(account, task, notes="Not the attic.")
    address = f"/v1/tasks/{task['id']}/complete"
    assert account.post(address, headers={"If-Match": '"1"'}).status_code == 412


def test_completed_at_is_not_for_users_to_write(account: Account) -> None:
    answer = account.post("/v1/tasks", json={"title": "Sweep", "completed_at": PAST})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/completed_at")


def test_a_task_cannot_start_after_it_is_due(account: Account) -> None:
    given = {"title": "Sweep", "start_at": LATEST, "due_at": LATER}
    answer = account.post("/v1/tasks", json=given)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/start_at")
    task = a_task(account, due_at=LATER)
    assert change(account, task, start_at=LATEST).status_code == 422


def test_no_task_is_part_of_itself(account: Account) -> None:
    top = a_task(account, "top")
    middle = a_task(account, "middle", parent_id=top["id"])
    bottom = a_task(account, "bottom", parent_id=middle["id"])
    for parent in (top, middle, bottom):
        answer = change(account, top, parent_id=parent["id"])
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/parent_id")
    assert change(account, bottom, parent_id=top["id"]).status_code == 200
    assert titles(account, f"parent_id={top['id']}&sort=title") == ["bottom", "middle"]


def test_two_tasks_cannot_become_each_others_part_at_the_same_moment(account: Account) -> None:
    for _ in range(5):
        one, two = a_task(account), a_task(account)
        answers: list[int] = []

        def adopt(child: Any, parent: Any, answers: list[int] = answers) -> None:
            answers.append(change(account, child, parent_id=parent["id"]).status_code)

        threads = [Thread(target=adopt, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        parents = [account.get(f"/v1/tasks/{task['id']}").json["parent_id"] for task in (one, two)]
        assert None in parents
        assert 422 in answers or 503 in answers


@pytest.mark.parametrize("whose", ["nobody", "stranger", "document"])
def test_a_parent_must_be_a_task_of_ones_own(
    account: Account, stranger: Account, whose: str
) -> None:
    parents = {
        "nobody": str(uuid.uuid4()),
        "stranger": a_task(stranger)["id"],
        "document": account.store()["id"],
    }
    answer = account.post("/v1/tasks", json={"title": "Sweep", "parent_id": parents[whose]})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/parent_id")


def test_a_task_whose_parent_is_gone_can_still_be_changed(account: Account) -> None:
    parent = a_task(account)
    part = a_task(account, parent_id=parent["id"])
    account.delete(f"/v1/tasks/{parent['id']}")
    assert change(account, part, notes="Alone now.").json["parent_id"] == parent["id"]


def test_tasks_are_chosen_by_status_due_time_and_words(account: Account) -> None:
    a_task(account, "late", due_at=PAST)
    a_task(account, "late but done", due_at=PAST, status="done")
    a_task(account, "soon", due_at=LATER, notes="Bring the ladder.")
    a_task(account, "some day", status="blocked")
    assert titles(account, "overdue=true") == ["late"]
    assert titles(account, "overdue=false&sort=title") == ["late but done", "some day", "soon"]
    assert titles(account, "status=blocked") == ["some day"]
    assert titles(account, f"due_after={LATER}") == ["soon"]
    assert titles(account, f"due_before={LATER}&sort=title") == ["late", "late but done"]
    assert titles(account, "text=ladder") == ["soon"]
    assert titles(account, "text=day&status=todo") == []


def test_an_order_puts_tasks_without_a_due_time_last_and_goes_on_across_pages(
    account: Account,
) -> None:
    for title, due in (("b", LATER), ("none", None), ("a", PAST), ("nor", None), ("c", LATER)):
        a_task(account, title, due_at=due)
    for sort, expected in (
        ("due_at", ["a", "b", "c", "none", "nor"]),
        ("-due_at", ["c", "b", "a", "nor", "none"]),
        ("title", ["a", "b", "c", "none", "nor"]),
        ("-priority", ["c", "nor", "a", "none", "b"]),
    ):
        seen: list[str] = []
        answer = account.get(f"/v1/tasks?sort={sort}&limit=1")
        while True:
            seen += [one["title"] for one in answer.json["items"]]
            if "Link" not in answer.headers:
                break
            answer = account.get(answer.headers["Link"].split(">")[0][1:])
        assert seen == expected, sort


@pytest.fixture
def filled(account: Account, index: Callable[[], None]) -> Account:
    a_task(account, "Book the ferry", notes="Cabin with a window.", due_at=LATER, tags=["trip"])
    account.post("/v1/memories", json={"text": "Gets seasick on a ferry.", "valid_from": PAST})
    account.store(title="Ferries", text="The ferry leaves at nine from pier two.")
    index()
    return account


def search(account: Account, **question: Any) -> list[Any]:
    answer = account.post("/v1/search", json={"query": "ferry"} | question)
    assert (answer.status_code, answer.json["degraded"]) == (200, []), answer.text
    results: list[Any] = answer.json["results"]
    return results


def test_a_search_finds_every_kind_and_shows_each_as_its_address_does(filled: Account) -> None:
    found = {one["kind"]: one for one in search(filled)}
    assert found.keys() == {"document", "task", "memory"}
    for kind, address in (("task", "tasks"), ("memory", "memories"), ("document", "documents")):
        shown = found[kind]
        assert shown[kind] == filled.get(f"/v1/{address}/{shown['item_id']}").json
        assert [shown[other] for other in found.keys() - {kind}] == [None, None]


def test_a_search_can_be_kept_to_some_kinds(filled: Account) -> None:
    found = search(filled, kinds=["task", "memory"])
    assert {one["kind"] for one in found} == {"task", "memory"}
    by_words = filled.get("/v1/search?q=ferry&kinds=task&mode=text").json["results"]
    assert [one["kind"] for one in by_words] == ["task"]


def test_a_search_can_be_kept_to_the_items_own_time(filled: Account) -> None:
    for conditions, expected in (
        ({"happens_after": LATER}, {"task"}),
        ({"happens_before": LATER}, {"memory"}),
        ({"happens_after": PAST, "happens_before": LATEST}, {"task", "memory"}),
        ({"happens_after": LATEST}, set()),
        ({"tags": ["trip"]}, {"task"}),
    ):
        assert {one["kind"] for one in search(filled, filter=conditions)} == expected


def test_a_removed_task_is_found_no_more_and_a_changed_one_by_its_new_words(
    filled: Account, index: Callable[[], None]
) -> None:
    (task,) = (one for one in search(filled) if one["kind"] == "task")
    changed = change(filled, {"id": task["item_id"]}, notes="The night train instead.")
    assert changed.json["index_state"] == "pending"
    index()
    (found,) = search(filled, query="night train", limit=1)
    assert (found["item_id"], found["stale"]) == (task["item_id"], False)
    filled.delete(f"/v1/tasks/{task['item_id']}")
    assert "task" not in {one["kind"] for one in search(filled, query="night train ferry")}


def test_a_new_due_time_is_not_read_into_the_index_again(
    filled: Account,
) -> None:
    (task,) = (one for one in search(filled) if one["kind"] == "task")
    changed = change(filled, {"id": task["item_id"]}, due_at=LATEST, status="blocked")
    assert (changed.json["revision"], changed.json["index_state"]) == (2, "indexed")
    found = search(filled, filter={"happens_after": LATEST})
    assert [one["task"]["due_at"] for one in found] == ["2031-01-01T00:00:00.000000Z"]
