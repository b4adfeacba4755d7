"""Sessions over HTTP: which logins there are, and ending them."""

from __future__ import annotations

from typing import Any

from atom_backend.settings import Settings
from tests.conftest import run_sql
from tests.integration.http.conftest import PASSWORD, Account

BASE = "/v1/sessions"


def logged_in(account: Account, agent: str) -> Any:
    given = {"email": account.email, "password": PASSWORD}
    headers = {"User-Agent": agent, "Authorization": ""}
    answer = account.post("/v1/auth/login", json=given, headers=headers)
    assert answer.status_code == 200
    return answer.json


def listed(account: Account, token: str | None = None) -> list[Any]:
    answer = account.get(BASE, headers=bearer(token or account.token))
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json["items"]
    return items


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_open_sessions_are_listed_with_where_they_are_used(account: Account) -> None:
    phone = logged_in(account, "A phone")
    newest, oldest = listed(account)
    assert (oldest["current"], newest["current"]) == (True, False)
    assert (newest["user_agent"], newest["address"]) == ("A phone", "127.0.0.1")
    assert newest["created_at"] == newest["refreshed_at"] < newest["expires_at"]
    assert [one["current"] for one in listed(account, phone["access_token"])] == [True, False]


def test_a_refresh_is_noted_with_where_it_came_from(account: Account) -> None:
    phone = logged_in(account, "A phone")
    before = listed(account)[0]
    logged_in(account, "A tablet")
    given = {"refresh_token": phone["refresh_token"]}
    account.post("/v1/auth/refresh", json=given, headers={"User-Agent": "A newer phone"})
    after = listed(account)[0]
    assert (after["id"], after["user_agent"]) == (before["id"], "A newer phone")
    assert after["refreshed_at"] > before["refreshed_at"]
    assert after["expires_at"] > before["expires_at"]
    assert after["created_at"] == before["created_at"]


def test_an_ended_session_opens_nothing_from_then_on(account: Account, stranger: Account) -> None:
    phone = logged_in(account, "A phone")
    address = f"{BASE}/{listed(account)[0]['id']}"
    assert stranger.delete(address).status_code == 404
    assert account.delete(address).status_code == 204
    refused = account.get("/v1/users/me", headers=bearer(phone["access_token"]))
    assert (refused.status_code, refused.json["code"]) == (401, "session_ended")
    given = {"refresh_token": phone["refresh_token"]}
    assert account.post("/v1/auth/refresh", json=given).status_code == 401
    assert account.delete(address).status_code == 404
    assert [one["current"] for one in listed(account)] == [True]


def test_the_own_session_can_be_ended_as_by_logging_out(account: Account) -> None:
    (own,) = listed(account)
    assert account.delete(f"{BASE}/{own['id']}").status_code == 204
    assert account.get(BASE).json["code"] == "session_ended"


def test_all_others_can_be_ended_at_once(account: Account, stranger: Account) -> None:
    key = account.post("/v1/api-keys", json={"name": "k", "scopes": ["search"]}).json["key"]
    others = [logged_in(account, f"Device {n}") for n in range(3)]
    ended = account.post(f"{BASE}/end-others")
    assert (ended.status_code, ended.json) == (200, {"ended": 3})
    for other in others:
        assert account.get(BASE, headers=bearer(other["access_token"])).status_code == 401
    assert account.post(f"{BASE}/end-others").json == {"ended": 0}
    assert [one["current"] for one in listed(account)] == [True]
    assert stranger.get(BASE).status_code == 200
    assert account.get("/v1/search?q=tea", headers=bearer(key)).status_code == 200


def test_an_expired_session_is_not_listed(account: Account, settings: Settings) -> None:
    logged_in(account, "A phone")
    gone = listed(account)[0]["id"]
    assert settings.migration_database_url is not None
    owner = settings.migration_database_url.get_secret_value()
    run_sql(owner, "update sessions set expires_at = now() where id = :id", id=gone)
    assert gone not in [one["id"] for one in listed(account)]
    assert account.delete(f"{BASE}/{gone}").status_code == 404
