"""Integrations over HTTP: what settings may be, where secrets are refused, one for each account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.conftest import Account

ANY_ADDRESS = "This should be an http or https address, without a name and password in it."
MAIL = {"service": "imap", "settings": {"host": "mail.example.org", "folders": ["Inbox"]}}


def create(owner: Account, /, **fields: Any) -> Any:
    answer = owner.post("/v1/integrations", json=MAIL | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def refused(answer: Any) -> dict[str, str]:
    """What is wrong, by place."""
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input"), answer.text
    return {one["pointer"]: one["detail"] for one in answer.json["errors"]}


@pytest.mark.parametrize(
    ("wrong", "places"),
    [
        ({}, {"/settings/host"}),
        ({"host": "mail.example.org", "colour": "red"}, {"/settings/colour"}),
        (
            {"host": 5, "port": 0, "folders": ["Inbox", "", 7]},
            {"/settings/host", "/settings/port", "/settings/folders/1", "/settings/folders/2"},
        ),
        ({"host": "mail.example.org", "port": 10**15}, {"/settings/port"}),
        ({"host": "mail.example.org", "a/b~c": 1}, {"/settings/a~1b~0c"}),
    ],
)
def test_settings_that_do_not_fit_the_service_are_named_one_by_one(
    account: Account, wrong: Any, places: set[str]
) -> None:
    assert refused(account.post("/v1/integrations", json=MAIL | {"settings": wrong})).keys() == (
        places
    )
    assert account.get("/v1/integrations").json["items"] == []


def test_an_address_with_a_password_in_it_is_refused_and_not_repeated(account: Account) -> None:
    settings = {"url": "https://ada:hunter2@dav.example.org/"}
    answer = account.post("/v1/integrations", json={"service": "caldav", "settings": settings})
    assert refused(answer) == {"/settings/url": ANY_ADDRESS}
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("service", ["imap", "a-bridge.of-ones-own"])
@pytest.mark.parametrize(
    "name", ["access_token", "refreshToken", "password", "API-Key", "clientSecret", "credentials"]
)
def test_secrets_are_refused_wherever_they_stand_and_told_where_they_belong(
    account: Account, service: str, name: str
) -> None:
    inner = {"host": "mail.example.org", "folders": ["Inbox"], name: "hunter2"}
    deep = {"host": "mail.example.org", "more": [{"deep": {name: "hunter2"}}]}
    for settings, place in ((inner, f"/settings/{name}"), (deep, f"/settings/more/0/deep/{name}")):
        answer = account.post("/v1/integrations", json={"service": service, "settings": settings})
        assert "kept apart" in refused(answer)[place]
        assert "hunter2" not in answer.text
    answer = account.post("/v1/integrations", json=MAIL | {"metadata": {name: "hunter2"}})
    assert refused(answer).keys() == {f"/metadata/{name}"}


def test_words_that_only_sound_like_secrets_are_settings(account: Account) -> None:
    settings = {"max_tokens": 5, "keyboard": "de", "secretary": "the front desk", "keys": ["a"]}
    created = account.post("/v1/integrations", json={"service": "own", "settings": settings})
    assert created.json["settings"] == settings


def test_a_patch_is_checked_with_what_it_is_merged_into(account: Account) -> None:
    address = f"/v1/integrations/{create(account)['id']}"
    changed = account.patch(address, json={"settings": {"port": 993, "folders": None}})
    assert changed.json["settings"] == {"host": "mail.example.org", "port": 993}
    for patch, place in (
        ({"settings": {"host": None}}, "/settings/host"),
        ({"settings": {"token": "x"}}, "/settings/token"),
        ({"service": "caldav"}, "/settings/url"),
    ):
        assert place in refused(account.patch(address, json=patch))
    assert account.get(address).json == changed.json


def test_one_integration_for_each_service_and_account(account: Account, stranger: Account) -> None:
    first, second = create(account), create(account, account="work@example.org")
    for answer in (
        account.post("/v1/integrations", json=MAIL),
        account.put("/v1/integrations/by-external-id/other", json=MAIL),
        account.patch(f"/v1/integrations/{second['id']}", json={"account": "default"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "already_there"), answer.text
        assert answer.json["existing_id"] == first["id"]
    assert create(stranger)["account"] == "default"
    assert create(account, service="smtp", settings={"host": "mail.example.org"})["revision"] == 1


def test_an_error_has_a_reason_which_stays_known_afterwards(account: Account) -> None:
    made = create(account)
    address = f"/v1/integrations/{made['id']}"
    assert refused(account.patch(address, json={"state": "error"})).keys() == {"/last_error"}
    failed = account.patch(address, json={"state": "error", "last_error": "The server hung up."})
    assert failed.json["state"] == "error"
    assert [one["id"] for one in account.get("/v1/integrations?state=error").json["items"]] == [
        made["id"]
    ]
    resumed = account.patch(address, json={"state": "connected"}).json
    assert (resumed["state"], resumed["last_error"]) == ("connected", "The server hung up.")


def test_how_far_a_synchronisation_came_is_kept(account: Account) -> None:
    made = create(account, last_sync_at="2030-01-31T10:30:00+01:00", cursor="uid 7:9 ü")
    assert (made["last_sync_at"], made["cursor"]) == ("2030-01-31T09:30:00.000000Z", "uid 7:9 ü")
    create(account, account="never in step")
    found = account.get("/v1/integrations?synced_before=2031-01-01T00:00:00Z").json["items"]
    assert [one["id"] for one in found] == [made["id"]]


@pytest.mark.parametrize("service", ["IMAP", "im ap", "imap\n", "", "-x", "x" * 65])
def test_a_service_has_a_plain_name(account: Account, service: str) -> None:
    answer = account.post("/v1/integrations", json=MAIL | {"service": service})
    assert refused(answer).keys() == {"/service"}
