"""Accounts over HTTP: registering, sessions, the own profile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.conftest import ORIGIN, PASSWORD, Account


def log_in(account: Account, **changed: str) -> Any:
    return account.post(
        "/v1/auth/login", json={"email": account.email, "password": PASSWORD} | changed
    )


def refresh(account: Account, token: str) -> Any:
    return account.post("/v1/auth/refresh", json={"refresh_token": token})


def test_registering_gives_an_account_and_its_tokens(account: Account) -> None:
    said = account.registered
    assert said["user"]["email"] == account.email
    assert said["user"]["role"] == "user"
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] > 0
    assert account.get("/v1/users/me").json == said["user"]


def test_an_address_has_one_account_whatever_its_case(account: Account) -> None:
    again = {"email": account.email.upper(), "password": PASSWORD}
    answer = account.post("/v1/auth/register", json=again)
    assert (answer.status_code, answer.json["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": "Ada <ada@example.org>"}, "/email"),
        ({"password": "too short"}, "/password"),
        ({"password": "x" * 1025}, "/password"),
        ({"display_name": " "}, "/display_name"),
        ({"role": "admin"}, "/role"),
    ],
)
def test_a_registration_is_checked_and_its_password_never_repeated(
    account: Account, changed: dict[str, str], pointer: str
) -> None:
    given = {"email": "new@example.org", "password": PASSWORD} | changed
    answer = account.post("/v1/auth/register", json=given)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert given["password"] not in answer.text


def test_a_login_fails_alike_for_a_wrong_password_and_a_wrong_address(account: Account) -> None:
    wrong = [
        log_in(account, password="wrong password"),
        log_in(account, email="nobody@example.org"),
    ]
    for answer in wrong:
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_credentials")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert wrong[0].json["detail"] == wrong[1].json["detail"]


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(account: Account) -> None:
    first = account.registered["refresh_token"]
    renewed = refresh(account, first)
    assert renewed.status_code == 200
    assert refresh(account, first).json["code"] == "invalid_refresh_token"
    assert refresh(account, renewed.json["refresh_token"]).status_code == 401
    assert account.get("/v1/users/me").status_code == 401


def test_logging_out_ends_this_session_and_no_other(account: Account) -> None:
    other = log_in(account).json["access_token"]
    assert account.post("/v1/auth/logout").status_code == 204
    assert account.get("/v1/users/me").status_code == 401
    headers = {"Authorization": f"Bearer {other}"}
    assert account.get("/v1/users/me", headers=headers).status_code == 200


def test_the_password_is_changed_by_whoever_knows_it_and_all_sessions_end(
    account: Account, admin: Account
) -> None:
    other = log_in(account).json["access_token"]
    given = {"current_password": PASSWORD, "new_password": "another long one"}
    where = {"REMOTE_ADDR": "192.0.2.7"}
    answer = account.post("/v1/users/me/password", json=given, environ_base=where)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    for token in (account.token, other):
        headers = {"Authorization": f"Bearer {token}"}
        assert account.get("/v1/users/me", headers=headers).json["code"] == "session_ended"
    assert refresh(account, account.registered["refresh_token"]).status_code == 401
    account.token = answer.json["access_token"]
    assert account.get("/v1/users/me").status_code == 200
    assert refresh(account, answer.json["refresh_token"]).status_code == 200
    assert log_in(account).status_code == 401
    assert log_in(account, password="another long one").status_code == 200
    user = account.registered["user"]["id"]
    (entry,) = admin.get(f"/v1/admin/audit?resource=passwords&item_id={user}").json["items"]
    assert (entry["action"], entry["user_id"], entry["remote_address"]) == (
        "change",
        user,
        "192.0.2.7",
    )
    assert entry["session_id"] is not None


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"current_password": "a wrong one"}, 403, "wrong_password"),
        ({"new_password": "password123"}, 422, "unacceptable_password"),
        ({"new_password": "short"}, 422, "invalid_input"),
        ({"new_password": "x" * 1025}, 422, "invalid_input"),
        ({"current_password": None}, 422, "invalid_input"),
    ],
)
def test_a_change_of_the_password_that_is_refused_changes_nothing(
    account: Account, given: dict[str, Any], status: int, code: str
) -> None:
    body = {"current_password": PASSWORD, "new_password": "another long one"} | given
    answer = account.post("/v1/users/me/password", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert [one["pointer"] for one in answer.json.get("errors", [])] == (
        [f"/{name}" for name in given] if status == 422 else []
    )
    assert account.get("/v1/users/me").status_code == 200
    assert log_in(account).status_code == 200


def test_a_password_that_everybody_guesses_registers_nobody(account: Account) -> None:
    given = {"email": "new@example.org", "password": "Password123"}
    answer = account.post("/v1/auth/register", json=given)
    assert (answer.status_code, answer.json["code"]) == (422, "unacceptable_password")
    assert answer.json["errors"][0]["pointer"] == "/password"


@pytest.mark.parametrize("known", [True, False])
def test_guessing_on_is_answered_429_with_the_time_to_wait_whoever_it_is(
    account: Account, known: bool
) -> None:
    email = account.email if known else f"no-{account.email}"
    said = [log_in(account, email=email, password="a wrong one") for _ in range(5)]
    assert [one.status_code for one in said] == [401] * 5
    # A slow machine may have waited long enough by itself, but not for ever: the time doubles.
    attempts = (log_in(account, email=email, password="a wrong one") for _ in range(10))
    refused = next(answer for answer in attempts if answer.status_code != 401)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_attempts")
    assert int(refused.headers["Retry-After"]) >= 1


def test_where_nobody_may_register_no_address_is_told_to_be_taken(
    account: Account, admin: Account
) -> None:
    where = "/v1/admin/configuration/registration.open"
    assert admin.put(where, json={"value": False}).status_code == 200
    try:
        for email in (account.email, f"no-{account.email}"):
            given = {"email": email, "password": PASSWORD}
            answer = account.post("/v1/auth/register", json=given)
            assert (answer.status_code, answer.json["code"]) == (403, "registration_closed")
    finally:
        admin.delete(where)


def test_the_name_can_be_set_and_cleared(account: Account) -> None:
    assert account.patch("/v1/users/me", json={"display_name": "Ada"}).json["display_name"] == "Ada"
    assert account.patch("/v1/users/me", json={}).json["display_name"] == "Ada"
    assert account.patch("/v1/users/me", json={"display_name": None}).json["display_name"] is None


def test_a_configured_origin_reaches_the_application(account: Account) -> None:
    answer = account.get("/v1/users/me", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
