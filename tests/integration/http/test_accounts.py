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


def test_the_name_can_be_set_and_cleared(account: Account) -> None:
    assert account.patch("/v1/users/me", json={"display_name": "Ada"}).json["display_name"] == "Ada"
    assert account.patch("/v1/users/me", json={}).json["display_name"] == "Ada"
    assert account.patch("/v1/users/me", json={"display_name": None}).json["display_name"] is None


def test_a_configured_origin_reaches_the_application(account: Account) -> None:
    answer = account.get("/v1/users/me", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
