"""Authorizing at a real provider: the way there and back, once, for whoever began it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import RunSql
from tests.integration.http.conftest import Account
from tests.integration.oauth.conftest import (
    CALLBACK,
    FRONT_END,
    PAGE,
    PUBLIC_URL,
    Flow,
    connected,
    deeds,
)
from tests.provider.running import RunningProvider


def grants_of(account: Account) -> list[Any]:
    items: list[Any] = account.get("/v1/oauth/grants").json["items"]
    return items


def test_a_browser_authorizes_and_the_grant_gives_tokens_that_count(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(account, browser, account="Work")
    cookie = flow.answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path={CALLBACK}" in cookie
    done = flow.come_back(oauth_server.visit(flow.url))
    assert done.status_code == 200, done.text
    assert (done.json["provider"], done.json["account"], done.json["state"]) == (
        *("tests", "Work", "active"),
    )
    assert set(done.json["scopes"]) == {"openid", "mail.read"}, "as granted"
    assert done.json["refreshable"] is True
    assert grants_of(account) == [done.json]
    token = account.post(f"/v1/oauth/grants/{done.json['id']}/token")
    assert token.status_code == 200, token.text
    assert token.headers["Cache-Control"] == "no-store"
    assert token.json["token_type"] == "Bearer"
    assert oauth_server.active(token.json["access_token"])


def test_a_service_authorizes_in_a_browser_for_itself(
    service: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(service, browser)
    assert flow.come_back(oauth_server.visit(flow.url)).status_code == 200
    assert len(grants_of(service)) == 1


def test_people_see_a_page_and_the_cookie_goes(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(account, browser)
    done = flow.come_back(oauth_server.visit(flow.url), headers={"Accept": "text/html,*/*;q=0.8"})
    assert done.content_type == "text/html; charset=utf-8"
    assert "Connected" in done.text
    assert "Max-Age=0" in done.headers["Set-Cookie"]


def test_the_browser_returns_to_a_page_of_a_configured_origin(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(account, browser, return_to=f"{PAGE}?tab=2#top")
    done = flow.come_back(oauth_server.visit(flow.url))
    (grant,) = grants_of(account)
    assert (done.status_code, done.text) == (303, "")
    assert done.headers["Location"] == f"{PAGE}?tab=2&oauth_grant={grant['id']}#top"


@pytest.mark.parametrize(
    "wish",
    [
        {"return_to": "https://evil.example/"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": FRONT_END, "return_to": PAGE},
        {"scopes": ["two words"]},
        {"scopes": ["x"] * 101},
        {"account": "\x00"},
        {"account": ""},
        {"unknown": 1},
    ],
)
def test_a_wish_that_is_not_allowed_is_a_problem_that_names_its_place(
    account: Account, wish: dict[str, Any]
) -> None:
    answer = account.post("/v1/oauth/tests/authorize", json=wish)
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["pointer"].startswith("/" + list(wish)[-1])


def test_a_provider_that_is_not_configured_is_not_found(account: Account) -> None:
    answer = account.post("/v1/oauth/nobody/authorize", json={})
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_provider")


def test_a_callback_finishes_once(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(account, browser)
    brought = oauth_server.visit(flow.url)
    assert flow.come_back(brought).status_code == 200
    again = flow.come_back(brought)
    assert (again.status_code, again.json["code"]) == (404, "flow_not_found")
    posted = account.post(CALLBACK, json=brought)
    assert (posted.status_code, posted.json["code"]) == (404, "flow_not_found")
    assert oauth_server.stats()["issued"] == {"authorization_code": 1}


def test_a_victim_who_opens_an_attackers_address_gives_nothing_away(
    app: Flask, account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    """The victim's tokens would land in the attacker's account (RFC 9700, section 4.7)."""
    flow = Flow(account, browser)
    brought = oauth_server.visit(flow.url)
    victim = FlaskClient(app)
    answer: Any = victim.get(CALLBACK, query_string=brought, base_url=PUBLIC_URL)
    assert (answer.status_code, answer.json["code"]) == (404, "flow_not_found")
    Flow(Account(app), victim)
    answer = victim.get(CALLBACK, query_string=brought, base_url=PUBLIC_URL)
    assert answer.status_code == 404, "the cookie of another flow does not help"
    assert "authorization_code" not in oauth_server.stats()["issued"]
    assert grants_of(account) == []


def test_another_users_session_does_not_finish_a_flow_nor_spoil_it(
    account: Account, stranger: Account, oauth_server: RunningProvider
) -> None:
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    assert "Set-Cookie" not in begun.headers
    brought = oauth_server.visit(begun.json["authorization_url"])
    answer = stranger.post(CALLBACK, json=brought)
    assert (answer.status_code, answer.json["code"]) == (404, "flow_not_found")
    assert grants_of(stranger) == []
    assert account.post(CALLBACK, json=brought).status_code == 201


@pytest.mark.parametrize("change", [{"state": "forged"}, {"state": "x" * 200}, {"iss": "x"}])
def test_forged_parameters_finish_nothing(
    account: Account, oauth_server: RunningProvider, change: dict[str, str]
) -> None:
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    brought = oauth_server.visit(begun.json["authorization_url"])
    answer = account.post(CALLBACK, json={**brought, "code": "forged", **change})
    assert 400 <= answer.status_code < 500, answer.text
    assert grants_of(account) == []


def test_an_expired_flow_finishes_nothing(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    brought = oauth_server.visit(begun.json["authorization_url"])
    sql("update oauth_flows set expires_at = now()")
    answer = account.post(CALLBACK, json=brought)
    assert (answer.status_code, answer.json["code"]) == (404, "flow_not_found")


def test_a_flow_of_a_session_that_has_ended_finishes_nothing(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    flow = Flow(account, browser)
    brought = oauth_server.visit(flow.url)
    account.post("/v1/auth/logout")
    assert flow.come_back(brought).status_code in (401, 404)
    account.log_in()
    assert grants_of(account) == []


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("access_denied", (403, "authorization_denied", "denied")),
        ("server_error", (400, "authorization_failed", "server_error")),
        ("<script>", (400, "authorization_failed", "an error without a name")),
    ],
)
def test_an_error_of_the_provider_is_told_and_ends_the_flow(
    account: Account, browser: FlaskClient, error: str, refusal: tuple[int, str, str]
) -> None:
    status, code, said = refusal
    flow = Flow(account, browser)
    brought = {"state": flow.state, "error": error, "error_description": "No.", "x": "y"}
    answer = flow.come_back(brought)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert said in answer.json["detail"]
    assert flow.come_back(brought).status_code == 404


def test_an_owner_who_denies_at_the_provider_is_told_so(
    account: Account, browser: FlaskClient, oauth_server: RunningProvider
) -> None:
    oauth_server.change(denies=True)
    flow = Flow(account, browser)
    answer = flow.come_back(oauth_server.visit(flow.url))
    assert (answer.status_code, answer.json["code"]) == (403, "authorization_denied")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"effect": "answer", "status": 500}, 503, "provider_unavailable"),
        ({"effect": "drop"}, 503, "provider_unavailable"),
        (
            {"effect": "answer", "status": 401, "body": '{"error": "invalid_client"}'},
            *(502, "provider_refused"),
        ),
    ],
)
def test_a_provider_that_fails_at_the_exchange_is_told_and_nothing_is_stored(
    account: Account,
    oauth_server: RunningProvider,
    fault: dict[str, Any],
    status: int,
    code: str,
) -> None:
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    brought = oauth_server.visit(begun.json["authorization_url"])
    oauth_server.fail({**fault, "headers": {"Content-Type": "application/json"}, "times": 9})
    answer = account.post(CALLBACK, json=brought)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert grants_of(account) == []


def test_a_callback_with_neither_code_nor_error_is_refused(account: Account) -> None:
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    answer = account.post(CALLBACK, json={"state": begun.json["state"]})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_callback")


def test_authorizing_again_replaces_the_grant_of_that_account_and_no_other(
    account: Account, oauth_server: RunningProvider
) -> None:
    first = connected(account, oauth_server)
    other = connected(account, oauth_server, account="Work")
    begun = account.post("/v1/oauth/tests/authorize", json={"redirect_uri": FRONT_END})
    brought = oauth_server.visit(begun.json["authorization_url"])
    again = account.post(CALLBACK, json=brought)
    assert (again.status_code, again.json["id"]) == (200, first["id"])
    assert [one["id"] for one in grants_of(account)] == [first["id"], other["id"]]


def test_state_and_verifier_are_not_stored_as_they_are(
    account: Account, browser: FlaskClient, sql: RunSql
) -> None:
    flow = Flow(account, browser)
    secret = flow.answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    (stored,) = sql(
        "select f::text as row from oauth_flows f where owner_id = :id",
        id=account.registered["user"]["id"],
    )
    for plain in (flow.state, secret):
        assert plain.encode().hex() not in stored.row
        assert plain not in stored.row


def test_every_step_is_audited(
    account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    user = account.registered["user"]["id"]
    rows = sql(
        "select action, resource, session_id from audit_entries where user_id = :id order by id",
        id=user,
    )
    assert [(row.action, row.resource) for row in rows][-3:] == [
        ("authorize", "oauth_flows"),
        ("create", "oauth_grants"),
        ("finish", "oauth_flows"),
    ]
    assert all(row.session_id for row in rows[-3:])
    assert deeds(sql, grant["id"]) == ["create"]


def test_configured_providers_are_listed(account: Account) -> None:
    listed = account.get("/v1/oauth/providers").json
    assert [one["name"] for one in listed["items"]] == ["down", "impatient", "tests", "unrevokable"]
    assert listed["items"][2]["title"] == "The provider of the tests"
    assert "secret" not in str(listed)
