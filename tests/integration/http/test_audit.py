"""Every write of every resource leaves one audit entry, which administrators read over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atom_backend.bootstrap import Runtime, open_verification
from atom_backend.coordinator.sealing import Sealing
from atom_backend.domain.audit_chain import Head
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.settings import Settings
from atom_backend.stores import open_transactions
from tests.integration.http.conftest import Account, set_role
from tests.integration.http.test_leaving import leave
from tests.integration.http.test_records import EXAMPLES

BASE = "/v1/admin/audit"
NDJSON = {"Content-Type": "application/x-ndjson"}


def entries(admin: Account, **query: Any) -> list[Any]:
    answer = admin.get(BASE, query_string=query)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json["items"]
    return found


def of(admin: Account, item_id: str) -> list[tuple[str, int]]:
    """What happened to a record, oldest first."""
    return [(e["action"], e["revision"]) for e in reversed(entries(admin, item_id=item_id))]


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_write_of_each_resource_leaves_exactly_one_entry(
    account: Account, admin: Account, name: str
) -> None:
    example, base = EXAMPLES[name], f"/v1/{name}"
    whole = example.whole(account)
    me = account.registered["user"]["id"]
    made = account.post(base, json=whole).json["id"]
    account.patch(f"{base}/{made}", json=example.change)
    account.patch(f"{base}/{made}", json=example.change)
    account.delete(f"{base}/{made}")
    assert of(admin, made) == [("create", 1), ("change", 2), ("remove", 2)]
    put = f"{base}/by-external-id/one"
    named = account.put(put, json=whole).json["id"]
    account.put(put, json=whole)
    account.put(put, json=whole | example.change)
    assert of(admin, named) == [("create", 1), ("change", 2)]
    lines = json.dumps(whole | {"external_id": "one"}).encode()
    account.post(f"{base}/batch", data=lines, headers=NDJSON)
    assert of(admin, named)[2:] == [("change", 3)]
    written = entries(admin, user=me, resource=name)
    assert len(written) == 6
    assert {one["resource"] for one in written} == {name}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.actions], ids=lambda r: r.name)
def test_an_action_is_a_change(account: Account, admin: Account, resource: Any) -> None:
    base = f"/v1/{resource.name}"
    made = account.post(base, json=EXAMPLES[resource.name].whole(account)).json["id"]
    for action in resource.actions:
        answer = account.post(f"{base}/{made}/{action.name}")
        revision = int(answer.headers["ETag"].strip('"'))
        told = [("create", 1), *(("change", n) for n in range(2, revision + 1))]
        assert of(admin, made) == told
    assert revision > 1, "none of them changed anything"


def test_a_record_that_follows_another_has_its_own_entry(account: Account, admin: Account) -> None:
    rule = {"due_at": "2030-01-01T09:00:00Z", "recurrence": "FREQ=DAILY"}
    made = account.post("/v1/tasks", json={"title": "Water the fern"} | rule).json["id"]
    done = account.post(f"/v1/tasks/{made}/complete").json
    assert of(admin, done["followed_by"]) == [("create", 1)]
    assert of(admin, made) == [("create", 1), ("change", 2)]


def test_an_entry_says_who_from_where_and_when_and_nothing_of_the_content(
    account: Account, admin: Account
) -> None:
    secret = "a word that nobody else writes"
    made = account.post(
        "/v1/tasks",
        json={"title": secret, "tags": [secret]},
        headers={"X-Request-Id": "trace-1"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    ).json
    (entry,) = entries(admin, item_id=made["id"])
    assert entry["user_id"] == account.registered["user"]["id"]
    assert entry["session_id"] is not None
    assert (entry["request_id"], entry["remote_address"]) == ("trace-1", "192.0.2.7")
    assert entry["at"] == made["created_at"]
    account.get("/v1/tasks")
    assert secret not in json.dumps(entries(admin, user=entry["user_id"]))
    credentials = {"email": account.email, "password": "correct horse battery"}
    token = account.post("/v1/auth/login", json=credentials).json["access_token"]
    other = {"headers": {"Authorization": f"Bearer {token}"}}
    account.patch(f"/v1/tasks/{made['id']}", json={"title": "other"}, **other)
    assert entries(admin, item_id=made["id"])[0]["session_id"] != entry["session_id"]


def test_what_was_refused_or_only_read_leaves_nothing(account: Account, admin: Account) -> None:
    made = account.post("/v1/tasks", json={"title": "One", "external_id": "one"}).json["id"]
    me = account.registered["user"]["id"]
    before = entries(admin, user=me)
    for refused in (
        account.post("/v1/tasks", json={"title": "Two", "external_id": "one"}),
        account.post("/v1/tasks", json={"title": "Two", "parent_id": made[::-1]}),
        account.patch(f"/v1/tasks/{made}", json={"title": "x"}, headers={"If-Match": '"9"'}),
        account.patch("/v1/users/me", json={"display_name": ""}),
    ):
        assert refused.status_code >= 400
    account.get(f"/v1/tasks/{made}")
    assert entries(admin, user=me) == before


def test_an_account_has_entries_that_outlive_it(
    account: Account, admin: Account, settings: Settings
) -> None:
    me = account.registered["user"]["id"]
    account.patch("/v1/users/me", json={"display_name": "Ada"})
    kept = account.store()["id"]
    set_role(settings, account, "service")
    account.log_in()
    leave(account)
    told = [(e["action"], e["user_id"]) for e in reversed(entries(admin, item_id=me))]
    assert told == [("create", None), ("change", me), ("change", None), ("remove", me)]
    assert of(admin, kept) == [("create", 1)], "it went with its account"


def test_pages_follow_each_other_and_times_choose(account: Account, admin: Account) -> None:
    me = account.registered["user"]["id"]
    made = [account.post("/v1/tasks", json={"title": f"{n}"}).json for n in range(5)]
    seen: list[str] = []
    answer = admin.get(f"{BASE}?limit=2&user={me}")
    while True:
        seen += [one["item_id"] for one in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            break
        answer = admin.get(answer.headers["Link"].split(">")[0][1:])
    assert seen == [one["id"] for one in reversed(made)]
    window = {"since": made[1]["created_at"], "until": made[3]["created_at"]}
    assert [e["item_id"] for e in entries(admin, user=me, **window)] == [seen[2], seen[3]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=" + "_" * 22, 400),
        ("cursor=x", 400),
        ("resource=unheard", 422),
        ("user=me", 422),
        ("since=yesterday", 422),
        ("limit=0", 422),
        ("action=read", 422),
        ("remote_address=", 422),
        ("remote_address=%00", 422),
        ("unheard=1", 400),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(
    admin: Account, query: str, status: int
) -> None:
    assert admin.get(f"{BASE}?{query}").status_code == status


def test_entries_are_chosen_by_what_was_done_and_from_where(
    account: Account, admin: Account
) -> None:
    me = account.registered["user"]["id"]
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.99"}}
    made = account.post("/v1/tasks", json={"title": "One"}, **elsewhere).json["id"]
    account.patch(f"/v1/tasks/{made}", json={"title": "Two"})
    account.delete(f"/v1/tasks/{made}")
    assert [e["revision"] for e in entries(admin, user=me, action="change")] == [2]
    assert [e["action"] for e in entries(admin, user=me, action="remove")] == ["remove"]
    assert [e["item_id"] for e in entries(admin, remote_address="192.0.2.99")] == [made]
    assert entries(admin, user=me, remote_address="192.0.2.98") == []


def test_the_head_of_the_trail_can_be_noted_and_proves_it_later(
    account: Account, admin: Account, settings: Settings
) -> None:
    account.store()
    with open_verification(settings) as verification:
        waiting = admin.get(f"{BASE}/head").json
        with open_transactions(settings) as transactions:
            Sealing(transactions).run_once()
        noted = admin.get(f"{BASE}/head").json
        assert (waiting["unsealed"] > 0, noted["unsealed"]) == (True, 0)
        assert noted["position"] - waiting["position"] == waiting["unsealed"]
        account.store()
        assert verification.verify([Head.parse(noted["head"])], lambda _, __: None).holds
    exposed = account.get("/metrics").text
    assert f"atom_audit_position {float(noted['position'])}" in exposed
    assert "atom_audit_unsealed 1.0" in exposed


def test_it_is_for_administrators_only(
    account: Account, admin: Account, settings: Settings, runtime: Runtime
) -> None:
    anonymous = account.get(BASE, headers={"Authorization": ""})
    assert (anonymous.status_code, anonymous.json["code"]) == (401, "unauthenticated")
    assert account.get(BASE).status_code == 403
    assert account.get(f"{BASE}/head").status_code == 403
    assert admin.get(BASE).status_code == 200
    set_role(settings, admin, "user")
    refused = admin.get(BASE)
    assert (refused.status_code, refused.json["code"]) == (401, "role_changed")
    admin.log_in()
    assert admin.get(BASE).status_code == 403
    assert admin.get(f"{BASE}/head").status_code == 403
