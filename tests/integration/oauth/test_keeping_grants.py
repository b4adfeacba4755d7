"""Grants over REST: stored from elsewhere, listed without tokens, ended, and gone with accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from atom_backend.app import create_app
from atom_backend.bootstrap import open_web
from atom_backend.settings import Settings
from tests.conftest import RunSql
from tests.integration.http.conftest import PASSWORD, Account
from tests.integration.oauth.conftest import connected, deeds, make_old
from tests.provider.running import RunningProvider

ACCESS, REFRESH = "access-canary-4711", "refresh-canary-4712"
TOKENS = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600}


def put(account: Account, provider: str = "tests", /, **given: Any) -> Any:
    return account.put(f"/v1/oauth/grants/{provider}", json={**TOKENS, **given})


def test_tokens_from_elsewhere_are_stored_served_and_never_shown(
    account: Account, sql: RunSql
) -> None:
    stored = put(account, scopes=["mail.read"], account="Work")
    assert stored.status_code == 201, stored.text
    lasting = datetime.fromisoformat(stored.json["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=50) < lasting < timedelta(minutes=61)
    again = put(account, access_token="another", refresh_token=None, account="Work")
    assert (again.status_code, again.json["id"]) == (200, stored.json["id"])
    assert again.json["refreshable"] is False, "what belongs to other tokens does not stay"
    path = f"/v1/oauth/grants/{stored.json['id']}"
    assert account.get(path).json == again.json
    assert account.post(f"{path}/token").json["access_token"] == "another"
    put(account, account="Work")
    shown = account.get("/v1/oauth/grants").text + account.get(path).text + stored.text
    assert "canary" not in shown
    (row,) = sql("select g::text as text from oauth_grants g where id = :i", i=stored.json["id"])
    for token in (ACCESS, REFRESH):
        assert token not in row.text
        assert token.encode().hex() not in row.text
    assert deeds(sql, stored.json["id"]) == ["create", "change", "use", "change"]


def test_grants_are_listed_in_pages(account: Account, stranger: Account) -> None:
    made = [put(account, account=f"number {n}").json["id"] for n in range(3)]
    made.append(put(account, "github").json["id"])
    put(stranger)
    first = account.get("/v1/oauth/grants?limit=3")
    assert [one["id"] for one in first.json["items"]] == made[:3]
    assert 'rel="next"' in first.headers["Link"]
    rest = account.get(f"/v1/oauth/grants?limit=3&cursor={first.json['next_cursor']}").json
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == (made[3:], None)
    named = account.get("/v1/oauth/grants?provider=github").json["items"]
    assert [one["id"] for one in named] == made[3:]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"expires_at": "2030-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_in": -1}, "/expires_in"),
        ({"expires_in": 10**30}, "/expires_in"),
        ({"expires_in": "3600"}, "/expires_in"),
        ({"access_token": ""}, "/access_token"),
        ({"access_token": "\x00"}, "/access_token"),
        ({"access_token": "\ud800"}, ""),
        ({"access_token": "tökén"}, "/access_token"),
        ({"access_token": "x" * 16_385}, "/access_token"),
        ({"refresh_token": "\n"}, "/refresh_token"),
        ({"scopes": "mail.read"}, "/scopes"),
        ({"scopes": ["a b"]}, "/scopes/0"),
        ({"account": " "}, "/account"),
        ({"owner_id": "x"}, "/owner_id"),
    ],
)
def test_what_cannot_be_tokens_is_a_problem_that_repeats_none(
    account: Account, given: dict[str, Any], pointer: str
) -> None:
    refused = put(account, **given)
    assert refused.status_code in (400, 422), refused.text
    if pointer:
        assert pointer in [one["pointer"] for one in refused.json["errors"]]
    assert "canary" not in refused.text
    assert account.get("/v1/oauth/grants").json["items"] == []


@pytest.mark.parametrize(
    "name", ["Tests", "a/b", "x" * 41, "%00", "01900000-0000-7000-8000-000000000001", "-x"]
)
def test_what_cannot_be_a_provider_is_refused(account: Account, name: str) -> None:
    assert put(account, name).status_code == 422


def test_a_grant_of_an_unknown_provider_is_served_until_it_expires(
    account: Account, sql: RunSql
) -> None:
    grant = put(account, "not-configured").json
    path = f"/v1/oauth/grants/{grant['id']}"
    make_old(sql, grant, seconds=30)
    assert account.post(f"{path}/token").json["access_token"] == ACCESS
    make_old(sql, grant)
    refused = account.post(f"{path}/token")
    assert (refused.status_code, refused.json["code"]) == (409, "provider_not_configured")
    assert account.get(path).json["state"] == "active"
    ended = account.delete(path)
    assert ended.json == {
        "id": grant["id"],
        "revoked": False,
        "reason": "provider_not_configured",
    }
    assert 'provider="not-configured"' not in account.get("/metrics").text


def test_a_token_without_a_refresh_token_serves_until_it_expires(
    account: Account, sql: RunSql
) -> None:
    grant = put(account, refresh_token=None, expires_in=None).json
    path = f"/v1/oauth/grants/{grant['id']}"
    assert grant["expires_at"] is None
    assert account.post(f"{path}/token").json["expires_at"] is None
    make_old(sql, grant)
    refused = account.post(f"{path}/token")
    assert (refused.status_code, refused.json["code"]) == (409, "reauthorization_required")


def test_ending_a_grant_revokes_it_at_the_provider_and_destroys_it(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    path = f"/v1/oauth/grants/{grant['id']}"
    token = account.post(f"{path}/token").json["access_token"]
    ended = account.delete(path)
    assert ended.json == {"id": grant["id"], "revoked": True, "reason": None}
    assert not oauth_server.active(token)
    assert account.delete(path).status_code == 404
    assert sql("select from oauth_grants where id = :id", id=grant["id"]) == []
    assert deeds(sql, grant["id"]) == ["create", "use", "revoke", "remove"]


@pytest.mark.parametrize(
    ("provider", "reason"), [("down", "provider_unavailable"), ("unrevokable", "unsupported")]
)
def test_a_provider_that_does_not_revoke_keeps_no_grant_alive(
    account: Account, sql: RunSql, provider: str, reason: str
) -> None:
    grant = put(account, provider).json
    ended = account.delete(f"/v1/oauth/grants/{grant['id']}")
    assert (ended.status_code, ended.json["revoked"], ended.json["reason"]) == (200, False, reason)
    assert account.get("/v1/oauth/grants").json["items"] == []
    assert deeds(sql, grant["id"]) == ["create", "remove"]


def test_a_ciphertext_that_was_moved_to_another_owner_gives_nothing(
    account: Account, stranger: Account, sql: RunSql, caplog: pytest.LogCaptureFixture
) -> None:
    mine, theirs = put(account).json, put(stranger, access_token="theirs").json
    sql(
        "update oauth_grants set access_token ="
        " (select access_token from oauth_grants where id = :theirs) where id = :mine",
        mine=mine["id"],
        theirs=theirs["id"],
    )
    answer = account.post(f"/v1/oauth/grants/{mine['id']}/token")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "theirs" not in answer.text
    assert "use" not in deeds(sql, mine["id"])
    caplog.clear()


def test_an_account_takes_its_grants_and_flows_with_it_and_no_export_holds_them(
    account: Account, sql: RunSql
) -> None:
    put(account)
    account.post("/v1/oauth/tests/authorize", json={})
    archive = account.get("/v1/users/me/export")
    assert archive.status_code == 200
    assert b"canary" not in archive.data
    assert b"oauth" not in archive.data
    account.delete("/v1/users/me", json={"password": PASSWORD})
    user = account.registered["user"]["id"]
    for table in ("oauth_grants", "oauth_flows"):
        assert sql(f"select from {table} where owner_id = :id", id=user) == []


@pytest.fixture
def keyless(settings: Settings) -> Any:
    """The same service in a process that was given no key."""
    given = settings.model_copy(update={"oauth_encryption_key": ()})
    with open_web(given) as runtime:
        yield create_app(runtime)


def test_without_a_key_tokens_are_neither_given_nor_taken_and_all_else_works(
    account: Account, keyless: Flask
) -> None:
    grant = put(account).json
    beside = Account(keyless)
    beside.token = account.token
    path = f"/v1/oauth/grants/{grant['id']}"
    for answer in (
        beside.post(f"{path}/token"),
        put(beside),
        beside.post("/v1/oauth/tests/authorize", json={}),
        beside.post("/v1/oauth/tests/callback", json={"state": "x", "code": "y"}),
    ):
        assert answer.status_code == 503, answer.text
        assert answer.json["code"].startswith("vault")
    assert beside.get("/v1/oauth/grants").json["items"] == [grant]
    assert beside.get(path).json == grant
    beside.store(title="All else")
    ended = beside.delete(path).json
    assert (ended["revoked"], ended["reason"]) == (False, "vault_key_missing")
    assert account.get("/v1/oauth/grants").json["items"] == []
