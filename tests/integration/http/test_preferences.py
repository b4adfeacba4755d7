"""Preferences over HTTP: defaults and what was set instead, by key, typed where a key is known."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from atom_backend.domain.resources.preferences import KNOWN, MOST
from tests.integration.http.conftest import Account

THEME = "/v1/preferences/ui.theme"


def put(owner: Account, key: str, value: Any, **given: Any) -> Any:
    return owner.put(f"/v1/preferences/{key}", json={"value": value}, **given)


def effective(owner: Account) -> dict[str, tuple[Any, str]]:
    page = owner.get("/v1/preferences").json
    assert page["next_cursor"] is None
    assert [one["key"] for one in page["items"]] == sorted(one["key"] for one in page["items"])
    return {one["key"]: (one["value"], one["origin"]) for one in page["items"]}


def test_a_default_holds_until_something_is_set_and_again_after_its_removal(
    account: Account, stranger: Account
) -> None:
    defaults = effective(account)
    assert defaults == {one.key: (one.default, "default") for one in KNOWN}
    before = account.get(THEME)
    assert (before.json["value"], before.json["revision"]) == ("system", None)
    assert "ETag" not in before.headers

    first = put(account, "ui.theme", "dark")
    assert (first.status_code, first.headers["ETag"]) == (201, '"1"')
    assert (first.json["value"], first.json["default"]) == ("dark", "system")
    assert account.get(THEME).json == first.json
    assert effective(account) == defaults | {"ui.theme": ("dark", "set")}
    assert effective(stranger) == defaults

    for _ in range(2):
        assert account.delete(THEME).status_code == 204
        assert account.get(THEME).json == before.json


def test_a_key_of_ones_own_takes_any_json_and_is_gone_when_it_is_removed(account: Account) -> None:
    address = "/v1/preferences/garden.beds"
    assert account.get(address).status_code == 404
    values: list[Any] = [{"a": [1, None, {"b": "ü"}]}, None, 0, False, [], "", 2.5]
    for value in values:
        answer = put(account, "garden.beds", value)
        assert json.dumps(answer.json["value"]) == json.dumps(value)
        assert json.dumps(account.get(address).json["value"]) == json.dumps(value)
    assert answer.headers["ETag"] == '"7"', "false is another value than 0"
    assert put(account, "garden.beds", 2.5).headers["ETag"] == '"7"'
    assert effective(account)["garden.beds"] == (2.5, "set")
    assert account.delete(address).status_code == 204
    for gone in (account.get(address), account.delete(address)):
        assert (gone.status_code, gone.json["code"]) == (404, "not_found")
    assert "garden.beds" not in effective(account)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("ui.theme", "beige", "/value"),
        ("ui.theme", None, "/value"),
        ("notifications.enabled", 1, "/value"),
        ("notifications.quiet_hours", {"from": "22:00"}, "/value/to"),
        ("notifications.quiet_hours", {"from": "22:00", "to": "25:00"}, "/value/to"),
        ("garden.beds", "x" * 9000, "/value"),
        ("garden.beds", 10**30, "/value"),
        ("garden.beds", "a\0b", "/value"),
        ("theme", "dark", "/key"),
        ("UI.theme", "dark", "/key"),
        ("ui.", "dark", "/key"),
        ("ui." + "x" * 200, "dark", "/key"),
    ],
)
def test_what_cannot_be_set_is_refused_by_place(
    account: Account, key: str, value: Any, place: str
) -> None:
    answer = put(account, key, value)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json["errors"]] == [place]
    assert effective(account) == {one.key: (one.default, "default") for one in KNOWN}


def test_a_nesting_without_end_is_refused(account: Account) -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    assert put(account, "garden.beds", deep).status_code == 422


def test_a_write_that_was_overtaken_is_refused(account: Account) -> None:
    late = {"headers": {"If-Match": '"1"'}}
    assert put(account, "ui.theme", "dark", **late).status_code == 412
    assert account.delete(THEME, **late).status_code == 412
    put(account, "ui.theme", "dark")
    assert put(account, "ui.theme", "light", **late).headers["ETag"] == '"2"'
    assert put(account, "ui.theme", "dark", **late).status_code == 412
    assert account.delete(THEME, **late).status_code == 412
    assert account.get(THEME, headers={"If-None-Match": '"2"'}).status_code == 304
    assert account.get(THEME).json["value"] == "light"


def test_one_account_has_so_many_and_no_more_also_when_they_come_at_once(account: Account) -> None:
    for number in range(MOST - 2):
        assert put(account, f"garden.bed-{number}", number).status_code == 201
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: put(account, f"late.bed-{n}", n), range(4)))
    assert sorted(one.status_code for one in answers) == [201, 201, 409, 409]
    assert {one.json["code"] for one in answers if one.status_code == 409} == {"too_many"}
    assert put(account, "garden.bed-0", "roses").status_code == 200
    assert account.delete("/v1/preferences/garden.bed-1").status_code == 204
    assert put(account, "ui.theme", "dark").status_code == 201


def test_a_preference_is_written_to_the_audit_trail(account: Account, admin: Account) -> None:
    put(account, "ui.theme", "dark")
    account.delete(THEME)
    me = account.registered["user"]["id"]
    trail = admin.get(f"/v1/admin/audit?user={me}&resource=preferences").json["items"]
    assert [one["action"] for one in trail] == ["remove", "create"]


def test_every_default_fits_its_own_type() -> None:
    for option in KNOWN:
        assert option.schema.problems(option.default) == [], option.key
