"""Tokens of grants at a real provider: served, refreshed, kept through failures, ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import RunSql
from tests.integration.http.conftest import Account
from tests.integration.oauth.conftest import connected, deeds, make_old
from tests.provider.running import RunningProvider


def token_of(account: Account, grant: Any) -> Any:
    return account.post(f"/v1/oauth/grants/{grant['id']}/token")


def refreshes(server: RunningProvider) -> int:
    return int(server.stats()["issued"].get("refresh_token", 0))


def test_a_token_that_is_good_for_a_while_is_served_without_asking_the_provider(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    tokens = [token_of(account, grant).json for _ in range(3)]
    assert tokens[0] == tokens[1] == tokens[2]
    assert refreshes(oauth_server) == 0
    assert deeds(sql, grant["id"]) == ["create", "use", "use", "use"]
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert shown["last_used_at"] is not None
    assert shown["last_refreshed_at"] is None


@pytest.mark.parametrize("seconds", [30, -30])
def test_a_token_that_is_about_to_expire_is_refreshed_first(
    account: Account, oauth_server: RunningProvider, sql: RunSql, seconds: float
) -> None:
    grant = connected(account, oauth_server)
    before = token_of(account, grant).json["access_token"]
    for _ in range(3):
        make_old(sql, grant, seconds=seconds)
        after = token_of(account, grant).json
        assert after["access_token"] != before
        assert oauth_server.active(after["access_token"])
        before = after["access_token"]
    assert refreshes(oauth_server) == 3, "each with the refresh token of the one before"
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["expires_at"]) == ("active", after["expires_at"])
    assert deeds(sql, grant["id"]) == ["create", "use", *["refresh", "use"] * 3]


def test_an_answer_without_a_new_refresh_token_keeps_the_old(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    oauth_server.change(rotates=False, omits_refresh_token=True)
    grant = connected(account, oauth_server)
    for _ in range(2):
        make_old(sql, grant)
        assert oauth_server.active(token_of(account, grant).json["access_token"])
    assert refreshes(oauth_server) == 2


def test_many_threads_that_ask_at_once_refresh_once(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    oauth_server.reset()
    oauth_server.fail({"effect": "slow", "seconds": 0.3})
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: token_of(account, grant), range(12)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.json["access_token"] for one in answers}) == 1
    assert refreshes(oauth_server) == 1


FAULTS = [
    pytest.param([{"effect": "answer", "status": 500, "body": "oops"}] * 9, id="500"),
    pytest.param([{"effect": "answer", "status": 429, "body": ""}] * 9, id="too many requests"),
    pytest.param([{"effect": "answer", "status": 200, "body": "<html>"}] * 9, id="no JSON"),
    pytest.param([{"effect": "drop", "times": 9}], id="drops the connection"),
    pytest.param([{"effect": "hang", "times": 9}], id="hangs"),
]


@pytest.mark.parametrize("faults", FAULTS)
def test_a_failure_that_may_pass_keeps_the_grant_and_serves_what_is_still_good(
    account: Account, oauth_server: RunningProvider, sql: RunSql, faults: list[dict[str, Any]]
) -> None:
    grant = moved(connected(account, oauth_server), sql, "impatient")
    before = token_of(account, grant).json["access_token"]
    make_old(sql, grant, seconds=50)
    oauth_server.fail(*faults)
    served = token_of(account, grant)
    assert (served.status_code, served.json["access_token"]) == (200, before)
    make_old(sql, grant)
    oauth_server.fail(*faults)
    refused = token_of(account, grant)
    assert (refused.status_code, refused.json["code"]) == (503, "provider_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["reason"]) == ("active", "provider_unavailable")
    oauth_server.reset()
    make_old(sql, grant)
    assert oauth_server.active(token_of(account, grant).json["access_token"])
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["reason"]) == ("active", None)
    expected = ["create", "use", "fail", "use", "fail", "refresh", "use"]
    assert deeds(sql, grant["id"]) == expected


def moved(grant: Any, sql: RunSql, provider: str) -> Any:
    """The same grant, at the same server, as another table of the operator's file knows it."""
    sql("update oauth_grants set provider = :p where id = :id", p=provider, id=grant["id"])
    return grant


def test_a_provider_that_failed_just_now_is_not_asked_again_at_once(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    oauth_server.reset()
    oauth_server.fail({"effect": "answer", "status": 500, "times": 99})
    for _ in range(3):
        assert token_of(account, grant).status_code == 503
    assert oauth_server.stats()["requests"]["/token"] == 1


def test_a_provider_that_refuses_the_client_is_the_operators_trouble_and_keeps_the_grant(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    json = {"Content-Type": "application/json"}
    body = '{"error": "invalid_client", "error_description": "who"}'
    oauth_server.fail({"effect": "answer", "status": 401, "headers": json, "body": body})
    refused = token_of(account, grant)
    assert (refused.status_code, refused.json["code"]) == (502, "provider_refused")
    assert "who" not in refused.text
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["reason"]) == ("active", "provider_refused:invalid_client")
    make_old(sql, grant)
    assert token_of(account, grant).status_code == 200


def test_reuse_of_a_refresh_token_ends_the_grant_until_its_owner_authorizes_again(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    """A copy of an old refresh token is used: the provider revokes everything of the grant."""
    grant = connected(account, oauth_server)
    (old,) = sql("select refresh_token from oauth_grants where id = :id", id=grant["id"])
    make_old(sql, grant)
    assert token_of(account, grant).status_code == 200
    sql("update oauth_grants set refresh_token = :t where id = :id", t=old[0], id=grant["id"])
    make_old(sql, grant, seconds=30)
    asked = refreshes(oauth_server)
    for _ in range(2):
        refused = token_of(account, grant)
        assert (refused.status_code, refused.json["code"]) == (409, "reauthorization_required")
    assert oauth_server.stats()["refused"] == {"invalid_grant": 1}, "it is asked once"
    assert refreshes(oauth_server) == asked
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["reason"]) == ("reauthorization_required", "invalid_grant")
    assert deeds(sql, grant["id"])[-1] == "refuse"
    wish = {"redirect_uri": "https://client.example.org/callback"}
    begun = account.post("/v1/oauth/tests/authorize", json=wish)
    brought = oauth_server.visit(begun.json["authorization_url"])
    again = account.post("/v1/oauth/tests/callback", json=brought)
    assert (again.json["id"], again.json["state"]) == (grant["id"], "active")
    assert token_of(account, grant).status_code == 200


def test_an_answer_that_was_lost_after_the_provider_rotated_marks_the_grant(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    """The one gap that no client can close: the stored refresh token is spent, and says so."""
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    oauth_server.fail({"effect": "lose"})
    assert token_of(account, grant).status_code == 503
    make_old(sql, grant)
    refused = token_of(account, grant)
    assert (refused.status_code, refused.json["code"]) == (409, "reauthorization_required")
    shown = account.get(f"/v1/oauth/grants/{grant['id']}").json
    assert (shown["state"], shown["reason"]) == ("reauthorization_required", "invalid_grant")


def test_another_account_gets_no_token_and_a_service_gets_one_by_identifier(
    account: Account,
    stranger: Account,
    service: Account,
    oauth_server: RunningProvider,
    sql: RunSql,
) -> None:
    grant = connected(account, oauth_server)
    path = f"/v1/oauth/grants/{grant['id']}"
    for method, asked in (
        ("POST", f"{path}/token"),
        ("GET", path),
        ("DELETE", path),
    ):
        answer = stranger.ask(method, asked)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    make_old(sql, grant)
    token = token_of(service, grant)
    assert token.status_code == 200, token.text
    assert oauth_server.active(token.json["access_token"])
    for method in ("GET", "DELETE"):
        assert service.ask(method, path).status_code == 404, "a token is all that it gets"
    assert service.get("/v1/oauth/grants").json["items"] == []
    rows = sql(
        "select user_id::text, action from audit_entries where item_id = :id order by id",
        id=grant["id"],
    )
    by_service = service.registered["user"]["id"]
    assert [tuple(row) for row in rows][1:] == [(by_service, "refresh"), (by_service, "use")]


def test_uses_and_refreshes_are_counted(account: Account, oauth_server: RunningProvider) -> None:
    token_of(account, connected(account, oauth_server))
    shown = account.get("/metrics").text
    assert 'atom_oauth_tokens_total{outcome="served",provider="tests"}' in shown
    assert 'atom_oauth_authorizations_total{outcome="finished",provider="tests"}' in shown
