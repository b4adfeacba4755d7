"""The service's configuration: who may see and change it, and that it takes effect everywhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from atom_backend.domain.configuration import CONFIGURABLE
from atom_backend.settings import Settings
from tests.integration.http.conftest import PASSWORD, Account, set_role

BASE = "/v1/admin/configuration"


@pytest.fixture
def admin(admin: Account) -> Iterator[Account]:
    """An administrator, after whom every default holds again."""
    yield admin
    for option in CONFIGURABLE:
        assert admin.delete(f"{BASE}/{option.key}").status_code == 204


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Flask]:
    """The application as another process has it: nothing shared but the stores."""
    from atom_backend.app import create_app
    from atom_backend.bootstrap import open_web

    with open_web(settings) as runtime:
        yield create_app(runtime)


def put(admin: Account, key: str, value: Any, **given: Any) -> Any:
    return admin.put(f"{BASE}/{key}", json={"value": value}, **given)


def register(app: Flask, domain: str = "example.org") -> tuple[int, str | None]:
    given = {"email": f"{uuid.uuid4().hex}@{domain}", "password": PASSWORD}
    answer = FlaskClient(app).post("/v1/auth/register", json=given)
    return answer.status_code, (answer.json or {}).get("code")


def test_all_keys_are_listed_with_their_defaults(admin: Account) -> None:
    found = admin.get(BASE).json["items"]
    assert {one["key"]: one["value"] for one in found} == {
        one.key: one.default for one in CONFIGURABLE
    }
    assert {one["origin"] for one in found} == {"default"}
    assert all(one["about"] for one in found)


def test_registration_is_closed_in_every_process_and_opened_again(
    admin: Account, app: Flask, elsewhere: Flask
) -> None:
    assert put(admin, "registration.open", False).json["value"] is False
    for process in (app, elsewhere):
        assert register(process) == (403, "registration_closed")
    assert admin.delete(f"{BASE}/registration.open").status_code == 204
    for process in (app, elsewhere):
        assert register(process) == (201, None)


def test_only_listed_domains_may_register(admin: Account, app: Flask) -> None:
    put(admin, "registration.domains", ["example.org"])
    assert register(app, "EXAMPLE.org") == (201, None)
    assert register(app, "example.com") == (403, "domain_not_allowed")
    assert register(app, "sub.example.org") == (403, "domain_not_allowed")


def test_so_many_accounts_and_no_more(admin: Account, app: Flask) -> None:
    put(admin, "registration.most_accounts", 0)
    assert register(app) == (403, "registration_full")
    put(admin, "registration.most_accounts", 1_000_000)
    assert register(app) == (201, None)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("registration.open", "no", "/value"),
        ("registration.open", None, "/value"),
        ("registration.domains", ["example.org", "@example.org"], "/value/1"),
        ("registration.most_accounts", -1, "/value"),
        ("registration.most_accounts", 10**15, "/value"),
        ("registration", True, "/key"),
    ],
)
def test_what_does_not_fit_a_key_is_refused(
    admin: Account, key: str, value: Any, place: str
) -> None:
    answer = put(admin, key, value)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json["errors"]] == [place]
    assert admin.get(BASE).json["items"][0]["origin"] == "default"


def test_a_key_that_does_nothing_does_not_exist(admin: Account) -> None:
    for answer in (
        put(admin, "registration.closed", True),
        admin.get(f"{BASE}/registration.closed"),
        admin.delete(f"{BASE}/registration.closed"),
    ):
        assert answer.status_code == 404
        assert "registration.open" in answer.json["detail"]


def test_nobody_else_sees_or_changes_it(
    admin: Account, account: Account, settings: Settings, app: Flask
) -> None:
    former = Account(app)
    set_role(settings, former, "admin")
    set_role(settings, former, "user")
    for other in (account, former):
        for answer in (
            other.get(BASE),
            other.get(f"{BASE}/registration.open"),
            put(other, "registration.open", False),
            other.delete(f"{BASE}/registration.open"),
        ):
            assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
    assert register(app)[0] == 201


def test_a_write_that_was_overtaken_is_refused_and_each_write_is_audited(admin: Account) -> None:
    address = f"{BASE}/registration.open"
    assert put(admin, "registration.open", True, headers={"If-Match": '"1"'}).status_code == 412
    first = put(admin, "registration.open", True)
    assert (first.headers["ETag"], first.json["origin"]) == ('"1"', "set")
    assert first.json["updated_by"] == admin.registered["user"]["id"]
    assert put(admin, "registration.open", True).headers["ETag"] == '"1"'
    second = put(admin, "registration.open", False, headers={"If-Match": '"1"'})
    assert second.headers["ETag"] == '"2"'
    assert admin.get(address, headers={"If-None-Match": '"2"'}).status_code == 304
    assert admin.delete(address, headers={"If-Match": '"1"'}).status_code == 412
    assert admin.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    trail = admin.get(f"/v1/admin/audit?resource=configuration&item_id={first.json['id']}").json
    assert [one["action"] for one in trail["items"]][:3] == ["remove", "change", "create"]
    assert trail["items"][0]["user_id"] == admin.registered["user"]["id"]


def test_every_default_fits_its_own_type() -> None:
    for option in CONFIGURABLE:
        assert option.schema.problems(option.default) == [], option.key
