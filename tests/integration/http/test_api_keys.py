"""API keys over HTTP: making, using, listing and removing them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from atom_backend.clock import new_id
from atom_backend.domain.api_keys import new_key
from atom_backend.settings import Settings
from tests.conftest import run_sql
from tests.integration.http.conftest import PASSWORD, Account, set_role

BASE = "/v1/api-keys"


def make(account: Account, *scopes: str, **more: Any) -> Any:
    given = {"name": "sync", "scopes": scopes or ("records:read",)} | more
    answer = account.post(BASE, json=given)
    assert answer.status_code == 201, answer.text
    return answer.json


def by(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {key}"}}


def sql(settings: Settings, statement: str, **values: Any) -> Any:
    assert settings.migration_database_url is not None
    return run_sql(settings.migration_database_url.get_secret_value(), statement, **values)


def test_a_key_is_shown_once_and_then_only_how_it_begins(
    account: Account, settings: Settings
) -> None:
    answer = account.post(BASE, json={"name": "sync", "scopes": ["search", "records:read"]})
    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{BASE}/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    key = made.pop("key")
    assert key.startswith(made["masked"].removesuffix("…"))
    assert made["scopes"] == ["records:read", "search"]
    assert (made["expires_at"], made["last_used_at"]) == (None, None)
    assert account.get(answer.headers["Location"]).json == made
    assert account.get(BASE).json == {"items": [made]}
    secret = key[-49:]
    row = sql(settings, "select k::text as row from api_keys k where id = :id", id=made["id"])
    assert secret not in row[0].row


def test_a_key_stands_wherever_an_access_token_does_within_its_scopes(account: Account) -> None:
    key = make(account, "records:write", "records:read")["key"]
    made = account.post("/v1/tasks", json={"title": "Water the fern"}, **by(key))
    assert made.status_code == 201
    read = account.get(f"/v1/tasks/{made.json['id']}")
    assert read.json["title"] == "Water the fern", "it acts for its account"
    refused = account.get("/v1/users/me", **by(key))
    assert (refused.status_code, refused.json["scope"]) == (403, "profile:read")
    managing = account.post(BASE, json={"name": "heir", "scopes": ["search"]}, **by(key))
    assert (managing.status_code, managing.json["scope"]) == (403, "account:manage")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"scopes": ["account:manage"]}, "/scopes/0"),
        ({"scopes": ["search", "admin:read"]}, "/scopes/1"),
        ({"scopes": ["grants:token:any"]}, "/scopes/0"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["search"] * 99}, "/scopes"),
        ({"scopes": "search"}, "/scopes"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 129}, "/name"),
        ({"name": "\x00"}, "/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"id": str(new_id())}, "/id"),
    ],
)
def test_what_a_key_cannot_be_is_refused_at_its_field(
    account: Account, changed: Any, pointer: str
) -> None:
    answer = account.post(BASE, json={"name": "sync", "scopes": ["search"]} | changed)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert account.get(BASE).json == {"items": []}


def test_a_removed_key_is_refused_at_once(account: Account, stranger: Account) -> None:
    made, other = make(account), make(account)
    for key in (made["key"], other["key"]):
        assert account.get("/v1/tasks", **by(key)).status_code == 200
    address = f"{BASE}/{made['id']}"
    for method in ("GET", "DELETE"):
        assert stranger.ask(method, address).status_code == 404
    assert account.delete(address).status_code == 204
    refused = account.get("/v1/tasks", **by(made["key"]))
    assert (refused.status_code, refused.json["code"]) == (401, "invalid_api_key")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert account.get("/v1/tasks", **by(other["key"])).status_code == 200
    assert account.delete(address).status_code == account.get(address).status_code == 404


def test_a_typo_is_told_from_a_wrong_key(account: Account) -> None:
    made = make(account)
    short = account.get("/v1/tasks", **by(made["key"][:-1]))
    assert (short.status_code, short.json["code"]) == (401, "damaged_api_key")
    for key_id in (UUID(made["id"]), new_id()):
        guessed = new_key(key_id)[0].reveal()
        wrong = account.get("/v1/tasks", **by(guessed))
        assert (wrong.status_code, wrong.json["code"]) == (401, "invalid_api_key")


def test_a_key_ends_at_its_time_also_where_it_was_just_used(
    account: Account, settings: Settings
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = make(account, expires_at=soon.isoformat())
    assert datetime.fromisoformat(made["expires_at"]) == soon
    assert account.get("/v1/tasks", **by(made["key"])).status_code == 200
    over = "update api_keys set expires_at = now() where id = :id"
    sql(settings, over, id=made["id"])
    refused = account.get("/v1/tasks", **by(made["key"]))
    assert (refused.status_code, refused.json["code"]) == (401, "invalid_api_key")
    assert account.get(f"{BASE}/{made['id']}").status_code == 200, "its owner still sees it"


def test_keys_of_an_account_that_left_open_nothing(account: Account, app: Flask) -> None:
    used, unused = make(account)["key"], make(account)["key"]
    assert account.get("/v1/tasks", **by(used)).status_code == 200
    assert account.delete("/v1/users/me", json={"password": PASSWORD}).status_code in (200, 202)
    for key in (used, unused):
        refused = app.test_client().get("/v1/tasks", headers={"Authorization": f"Bearer {key}"})
        assert refused.status_code == 401


def test_a_key_loses_what_its_account_loses(account: Account, settings: Settings) -> None:
    set_role(settings, account, "admin")
    account.log_in()
    used, unused = (make(account, "admin:read", "search")["key"] for _ in range(2))
    assert account.get("/v1/admin/audit", **by(used)).status_code == 200
    set_role(settings, account, "user")
    stale = account.get("/v1/admin/audit", **by(used)).json["code"]
    assert stale in ("role_changed", "insufficient_scope"), "the second when a minute has begun"
    assert account.get("/v1/admin/audit", **by(unused)).json["scope"] == "admin:read"


def test_an_account_has_so_many_keys_and_no_more(account: Account, settings: Settings) -> None:
    made = make(account)
    sql(
        settings,
        "insert into api_keys (id, owner_id, name, scopes, digest)"
        " select gen_random_uuid(), owner_id, name, scopes, digest"
        " from api_keys, generate_series(2, 100) where id = :id",
        id=made["id"],
    )
    full = account.post(BASE, json={"name": "one more", "scopes": ["search"]})
    assert (full.status_code, full.json["code"]) == (409, "too_many_api_keys")
    assert account.delete(f"{BASE}/{made['id']}").status_code == 204
    make(account)


def test_the_last_use_is_noted_and_written_at_most_once_a_minute(
    account: Account, settings: Settings
) -> None:
    made = make(account)

    def last_used() -> Any:
        return account.get(f"{BASE}/{made['id']}").json["last_used_at"]

    account.get("/v1/tasks/" + str(new_id()), **by(made["key"]))
    first = last_used()
    assert first is not None, "a request that found nothing is a use, too"
    account.get("/v1/tasks", **by(made["key"]))
    assert last_used() == first


def test_the_audit_trail_names_the_key_that_acted_and_who_made_it(
    account: Account, admin: Account
) -> None:
    made = make(account, "records:write")
    task = account.post("/v1/tasks", json={"title": "By key"}, **by(made["key"])).json["id"]
    own = account.post("/v1/tasks", json={"title": "By session"}).json["id"]
    account.delete(f"{BASE}/{made['id']}")

    def told(item_id: str) -> list[tuple[Any, ...]]:
        items = admin.get(f"/v1/admin/audit?item_id={item_id}").json["items"]
        who = ("action", "resource", "user_id", "api_key_id")
        assert all((one["session_id"] is None) == bool(one["api_key_id"]) for one in items)
        return [tuple(one[name] for name in who) for one in reversed(items)]

    me = account.registered["user"]["id"]
    assert told(task) == [("create", "tasks", me, made["id"])]
    assert told(own) == [("create", "tasks", me, None)]
    assert told(made["id"]) == [
        ("create", "api_keys", me, None),
        ("remove", "api_keys", me, None),
    ]
