"""Deleting the own account over HTTP: everything ends at once, and LanceDB follows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from atom_backend.settings import Settings
from tests.integration.http.conftest import PASSWORD, Account
from tests.invariants import CHUNKS, PROCESSED, rows_by_item

ME = "/v1/users/me"


def leave(account: Account, password: str = PASSWORD) -> Any:
    return account.delete(ME, json={"password": password})


def found(account: Account, mode: str) -> list[str]:
    answer = account.post("/v1/search", json={"query": "a secret recipe", "mode": mode})
    return [result["item_id"] for result in answer.json["results"]]


def register_again(account: Account) -> None:
    """The same address; the client acts for its new account after that."""
    given = {"email": account.email, "password": PASSWORD}
    answer = account.post("/v1/auth/register", json=given)
    assert answer.status_code == 201
    account.token = answer.json["access_token"]


def test_after_leaving_every_way_back_in_is_closed(account: Account) -> None:
    credentials = {"email": account.email, "password": PASSWORD}
    other = account.post("/v1/auth/login", json=credentials).json
    assert leave(account).status_code == 200
    for token in (account.token, other["access_token"]):
        answer = account.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json["code"]) == (401, "session_ended")
    for token in (account.registered["refresh_token"], other["refresh_token"]):
        answer = account.post("/v1/auth/refresh", json={"refresh_token": token})
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_refresh_token")
    answer = account.post("/v1/auth/login", json=credentials)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_credentials")
    assert leave(account).status_code == 401


def test_a_wrong_password_changes_nothing(account: Account) -> None:
    stored = account.store()
    answer = leave(account, "not the password")
    assert (answer.status_code, answer.json["code"]) == (403, "wrong_password")
    assert "not the password" not in answer.text
    assert account.get(f"/v1/documents/{stored['id']}").status_code == 200


def test_the_password_is_asked_for_and_nothing_else(account: Account) -> None:
    assert account.delete(ME).status_code == 400
    assert account.delete(ME, json={}).json["errors"][0]["pointer"] == "/password"
    assert account.get(ME).status_code == 200


def test_an_ended_session_does_not_tell_whether_a_password_is_right(account: Account) -> None:
    account.post("/v1/auth/logout")
    answers = [leave(account), leave(account, "not the password")]
    assert {(one.status_code, one.json["code"]) for one in answers} == {(401, "session_ended")}


def test_who_registers_again_sees_nothing_of_before(
    account: Account, index: Callable[[], None]
) -> None:
    before = account.store(text="A secret recipe.", external_id="recipe")
    index()
    assert {*found(account, "vector"), *found(account, "text")} == {before["id"]}
    leave(account)
    register_again(account)
    assert account.get("/v1/documents").json["items"] == []
    assert account.get(f"/v1/documents/{before['id']}").status_code == 404
    assert found(account, "vector") == found(account, "text") == []
    again = account.store(text="A secret recipe, too.", external_id="recipe")
    index()
    assert again["id"] != before["id"]
    assert {*found(account, "vector"), *found(account, "text")} == {again["id"]}


def test_a_kept_answer_is_not_given_to_who_registers_again(account: Account) -> None:
    key = {"Idempotency-Key": '"once"'}
    draft = {"title": "Tea", "text": "Green tea."}
    before = account.post("/v1/documents", json=draft, headers=key).json
    leave(account)
    register_again(account)
    answer = account.post("/v1/documents", json=draft, headers=key)
    assert answer.status_code == 201
    assert answer.json["id"] != before["id"]


def test_lancedb_is_emptied_of_the_account_and_of_no_other(
    account: Account, stranger: Account, index: Callable[[], None], settings: Settings
) -> None:
    gone = {UUID(account.store(text=f"Number {n}.")["id"]) for n in range(40)}
    kept = UUID(stranger.store()["id"])
    index()
    leave(account)
    index()
    for table in (PROCESSED, CHUNKS):
        left = rows_by_item(Path(settings.lancedb_uri), table).keys()
        assert left & gone == set()
        assert kept in left


def test_it_is_said_how_far_the_erasure_is_and_when_it_is_done(
    account: Account, stranger: Account, index: Callable[[], None]
) -> None:
    stranger.store()
    for n in range(3):
        account.store(text=f"Number {n}.")
    index()
    left = leave(account)
    assert (left.status_code, left.json["state"]) == (202, "running")
    assert (left.json["items_total"], left.json["items_left"]) == (3, 3)
    assert left.json["completed_at"] is None
    address = left.headers["Location"]
    assert address == f"/v1/erasures/{left.json['id']}"
    nobody = {"headers": {"Authorization": ""}}
    assert account.get(address, **nobody).json == left.json
    index()
    done = account.get(address, **nobody).json
    assert (done["state"], done["items_total"], done["items_left"]) == ("done", 3, 0)
    assert left.json["requested_at"] == done["requested_at"] < done["completed_at"]
    register_again(account)
    account.store()
    assert account.get(address).json == done, "the new account is another one"


def test_who_prefers_to_wait_is_told_when_it_is_done(
    account: Account, stranger: Account, index: Callable[[], None]
) -> None:
    for leaving in (account, stranger):
        leaving.store()
    with ThreadPoolExecutor(1) as pool:
        prefer = {"json": {"password": PASSWORD}, "prefer": "wait=30"}
        answer = pool.submit(account.delete, ME, **prefer)
        while not answer.done():
            index()
    done = answer.result()
    assert (done.status_code, done.json["state"]) == (200, "done")
    assert done.headers["Preference-Applied"] == "wait=30"
    late = stranger.delete(ME, json={"password": PASSWORD}, prefer="wait=0")
    assert (late.status_code, late.headers["Preference-Applied"]) == (202, "wait=0")


def test_an_identifier_that_was_never_given_out_is_not_found(account: Account) -> None:
    for unknown in (uuid4(), account.registered["user"]["id"], "no-identifier"):
        answer = account.get(f"/v1/erasures/{unknown}", headers={"Authorization": ""})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
