"""An account is taken along as a file, and brought back into an empty one, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from atom_backend.domain.resources.registry import RESOURCES, SEARCHABLE
from atom_backend.settings import Settings
from tests.conftest import run_sql
from tests.integration.http.archives import (
    EXPORT,
    IMPORT,
    NDJSON,
    a_task,
    bring,
    comparable,
    ended,
    every_resource,
    export,
    records,
    stored,
)
from tests.integration.http.conftest import PASSWORD, Account
from tests.integration.http.test_leaving import leave, register_again
from tests.integration.http.test_records import EXAMPLES


def fill(account: Account) -> None:
    """Two of everything, one of them changed, and what hangs together in every way."""
    for name, example in EXAMPLES.items():
        base = f"/v1/{name}"
        account.post(base, json=example.another(account))
        named, whole = f"{base}/by-external-id/archived", example.another(account)
        account.put(named, json=whole)
        changed = account.put(named, json=whole | example.change)
        assert changed.headers["ETag"] == '"2"', changed.text
    for resource in RESOURCES:
        if resource.keyed:
            stored(account, resource)
    account.patch("/v1/users/me", json={"display_name": "Ada"})


def hang_together(account: Account) -> None:
    """Records that name others, some of which are younger than they."""

    def made(name: str, **fields: Any) -> str:
        answer = account.post(f"/v1/{name}", json=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    part = made("tasks", title="Part")
    whole = made("tasks", title="Whole")
    account.patch(f"/v1/tasks/{part}", json={"parent_id": whole})
    rule = {"due_at": "2030-01-01T09:00:00Z", "recurrence": "FREQ=DAILY"}
    done = made("tasks", title="Again", parent_id=part, **rule)
    account.post(f"/v1/tasks/{done}/complete")
    old = made("memories", text="Likes tea.")
    new = made("memories", text="Likes coffee.", source_item_id=old)
    account.patch(f"/v1/memories/{old}", json={"superseded_by": new})
    mail = {"kind": "email", "direction": "in"}
    answered = made("messages", body="Yes.", message_id="2@x", references=["0@x", "1@x"], **mail)
    made("messages", body="Lunch?", message_id="1@x", references=["0@x"], **mail)
    gone = made("messages", body="First of all.", message_id="0@x", **mail)
    begun = account.get(f"/v1/messages/{answered}").json["conversation_id"]
    made("messages", kind="chat", body="By the way.", conversation_id=begun)
    account.delete(f"/v1/messages/{gone}")
    made("messages", body="Another matter.", message_id="9@x", **mail)


@pytest.fixture
def moved(account: Account, index: Callable[[], None]) -> Callable[[], None]:
    """Leaves with the account and registers anew, once everything of before is erased."""

    def move() -> None:
        index()
        assert leave(account).status_code in {200, 202}
        index()
        register_again(account)

    return move


def test_everything_comes_back_line_for_line(
    account: Account, moved: Callable[[], None], index: Callable[[], None]
) -> None:
    fill(account)
    hang_together(account)
    before = export(account)
    assert {line["type"] for line in records(before)} == {str(one.one) for one in RESOURCES}
    moved()
    assert export(account)[2:] == [
        {"type": "end", "counts": dict.fromkeys(before[-1]["counts"], 0)}
    ]
    answer = bring(account, before)
    assert answer.status_code == 200, answer.text
    after = export(account)
    assert comparable(after) == comparable(before)
    assert after[-1] == before[-1]
    assert after[1]["display_name"] == "Ada"
    by_type = {str(one.one): one.name for one in RESOURCES}
    counted = {by_type[kind]: count for kind, count in before[-1]["counts"].items()}
    assert answer.json == {"restored": counted}
    index()
    found = account.post("/v1/search", json={"query": "coffee", "mode": "text", "limit": 50})
    assert [one["kind"] for one in found.json["results"]] == ["memory"]
    for resource in SEARCHABLE.values():
        listed = account.get(f"/v1/{resource.name}").json["items"]
        assert {one["index_state"] for one in listed} == {"indexed"}, resource.name
    vector = account.post("/v1/search", json={"query": "tea", "mode": "vector"}).json
    assert (vector["legs"], vector["degraded"]) == (["vector"], [])
    assert vector["results"]


@every_resource
def test_what_came_back_can_be_changed_and_removed(
    account: Account, moved: Callable[[], None], resource: Any
) -> None:
    address = stored(account, resource)
    before, lines = account.get(address).json, export(account)
    moved()
    assert bring(account, lines).status_code == 200
    read = account.get(address)
    assert (read.headers["ETag"], read.json["updated_at"]) == ('"1"', before["updated_at"])
    if resource.keyed:
        changed = account.put(address, json={"value": 2})
    else:
        changed = account.patch(address, json=EXAMPLES[resource.name].change)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert account.delete(address).status_code == 204


def test_an_export_holds_no_secret(account: Account) -> None:
    fill(account)
    told = account.get(EXPORT).text
    for secret in (PASSWORD, account.token, account.registered["refresh_token"], "argon2"):
        assert secret not in told
    assert json.loads(told.splitlines()[1]).keys() == {
        "type",
        "id",
        "email",
        "display_name",
        "created_at",
        "updated_at",
    }


def test_an_export_is_of_ones_own_rows_and_of_one_moment(
    account: Account, stranger: Account, app: Flask
) -> None:
    stranger.store(text="Somebody else's.")
    kept = account.store(text="x" * 200_000)["id"]
    answer = account.ask("GET", EXPORT, buffered=False)
    lines = answer.iter_encoded()
    first = next(lines)
    account.store(text="Too late.")
    account.delete(f"/v1/documents/{kept}")
    told = [json.loads(line) for line in (first + b"".join(lines)).splitlines()]
    answer.close()
    assert [line["id"] for line in records(told)] == [kept]
    assert told[-1]["counts"]["document"] == 1


def test_an_export_that_nobody_reads_to_the_end_gives_its_connection_back(
    account: Account, app: Flask
) -> None:
    for n in range(3):
        account.store(text=f"Number {n}.")
    for _ in range(50):
        answer = account.ask("GET", EXPORT, buffered=False)
        next(answer.iter_encoded())
        answer.close()
    assert export(account)[-1]["counts"]["document"] == 3


def test_an_export_that_fails_midway_says_so_in_its_last_line(
    account: Account, settings: Settings
) -> None:
    for _ in range(40):
        account.store(text="x" * 50_000)
    answer = account.ask("GET", EXPORT, buffered=False)
    lines = answer.iter_encoded()
    first = next(lines)
    assert settings.migration_database_url is not None
    run_sql(
        settings.migration_database_url.get_secret_value(),
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and state = 'idle in transaction'",
    )
    told = [json.loads(line) for line in (first + b"".join(lines)).splitlines()]
    answer.close()
    assert told[-1]["type"] == "problem"
    assert told[-1]["problem"]["code"] == "postgresql_unavailable"
    leave(account)
    register_again(account)
    refused = bring(account, told)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (
        422,
        f"/{len(told)}/type",
    )


@every_resource
def test_only_an_empty_account_takes_an_import(
    account: Account, stranger: Account, resource: Any
) -> None:
    lines = export(stranger)
    address = stored(account, resource)
    refused = bring(account, lines)
    assert (refused.status_code, refused.json["code"]) == (409, "account_not_empty")
    account.delete(address)
    left = export(account)[-1]["counts"].values()
    assert bring(account, lines).status_code == (409 if any(left) else 200)


@every_resource
def test_an_identifier_that_is_in_use_is_refused_and_nothing_is_stored(
    account: Account, stranger: Account, resource: Any
) -> None:
    stored(stranger, resource)
    other = export(stranger)
    own = a_task()
    lines = [*other[:2], own, *records(other), ended(own, *records(other))]
    refused = bring(account, lines)
    assert (refused.status_code, refused.json["code"]) == (409, "id_taken")
    assert refused.json["detail"].startswith("Line 4: ")
    assert records(export(account)) == []
    assert records(export(stranger)) == records(other)


def test_what_the_index_has_not_forgotten_yet_comes_back_later(
    account: Account, index: Callable[[], None]
) -> None:
    account.store()
    index()
    lines = export(account)
    leave(account)
    register_again(account)
    refused = bring(account, lines)
    assert (refused.status_code, refused.json["code"]) == (409, "being_erased")
    assert records(export(account)) == []
    index()
    assert bring(account, lines).status_code == 200


def test_nobody_exports_or_imports_without_a_token(account: Account) -> None:
    nobody = {"Authorization": ""}
    assert account.get(EXPORT, headers=nobody).status_code == 401
    assert account.post(IMPORT, data=b"", headers=NDJSON | nobody).status_code == 401
