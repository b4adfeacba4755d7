"""What every declared resource does alike, asked of each of them over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from atom_backend.domain.resources.registry import NAMED, RESOURCES, SEARCHABLE
from tests.integration.http.conftest import Account


@dataclass(frozen=True)
class Example:
    """``fields`` create one, ``change`` differs from it, ``wrong`` is refused at that field.

    ``unlike``: the field that two of them cannot have alike. ``needs``: what an account must have
    before, and the fields that name it.
    """

    fields: dict[str, Any]
    change: dict[str, Any]
    wrong: dict[str, Any] = field(default_factory=dict)
    unlike: str | None = None
    needs: Callable[[Account], dict[str, Any]] = lambda _: {}

    def whole(self, account: Account) -> dict[str, Any]:
        """All fields of the example in that account."""
        return self.fields | self.needs(account)

    def another(self, account: Account) -> dict[str, Any]:
        """One that can stand beside all others."""
        return self.whole(account) | ({self.unlike: uuid.uuid4().hex} if self.unlike else {})


def a_purse(account: Account) -> dict[str, Any]:
    """What a transaction needs: an account of its owner."""
    given = {"name": "Purse", "currency": "EUR"}
    answer = account.put("/v1/accounts/by-external-id/purse", json=given)
    return {"account_id": answer.json["id"]}


EXAMPLES = {
    "documents": Example(
        {"title": "Tea", "text": "Green tea wants 80 degrees.", "tags": ["kitchen"]},
        {"title": "Green tea"},
        {"content_type": "application/pdf"},
    ),
    "tasks": Example(
        {"title": "Water the plants", "notes": "The fern too.", "tags": ["home"]},
        {"title": "Water the fern"},
        {"status": "never"},
    ),
    "memories": Example(
        {"text": "Likes the window seat.", "kind": "travel", "tags": ["train"]},
        {"text": "Likes the aisle."},
        {"confidence": 1.5},
    ),
    "messages": Example(
        {"kind": "chat", "body": "Is the train on time?", "direction": "in", "tags": ["train"]},
        {"kind": "notification"},
        {"direction": "up"},
    ),
    "events": Example(
        {
            "title": "Tea with the gardener",
            "starts_at": "2030-03-01T09:00:00.000000+00:00",
            "ends_at": "2030-03-01T10:00:00.000000+00:00",
            "tags": ["home"],
        },
        {"ends_at": "2030-03-01T11:00:00.000000+00:00"},
        {"status": "never"},
    ),
    "integrations": Example(
        {"service": "imap", "settings": {"host": "mail.example.org"}, "tags": ["post"]},
        {"service": "smtp"},
        {"settings": {}},
        unlike="account",
    ),
    "accounts": Example(
        {"name": "Everyday", "currency": "EUR", "institution": "A bank", "tags": ["home"]},
        {"name": "Every day"},
        {"currency": "EURO"},
    ),
    "transactions": Example(
        {"amount": "-12.50", "posted_at": "2030-01-31T09:30:00.000000Z", "tags": ["home"]},
        {"amount": "12.50"},
        {"amount": -12.5},
        needs=a_purse,
    ),
}
every_resource = pytest.mark.parametrize("name", EXAMPLES)


def create(account: Account, name: str, **fields: Any) -> Any:
    answer = account.post(f"/v1/{name}", json=EXAMPLES[name].another(account) | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def listed(account: Account, name: str, **query: Any) -> list[Any]:
    answer = account.get(f"/v1/{name}", query_string=query)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json["items"]
    return items


def test_every_declared_resource_is_asked() -> None:
    assert {one.name for one in RESOURCES if not one.keyed} == EXAMPLES.keys()


@every_resource
def test_what_was_created_is_read_at_its_address(account: Account, name: str) -> None:
    answer = account.post(f"/v1/{name}", json=EXAMPLES[name].whole(account))
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    read = account.get(answer.headers["Location"])
    assert read.status_code == 200
    heavy = {one.name for one in NAMED[name].fields if one.apart}
    assert not heavy & read.json.keys()
    given = EXAMPLES[name].whole(account)
    assert {name: given[name] for name in given.keys() - heavy}.items() <= read.json.items()
    assert read.json.get("index_state") == ("pending" if NAMED[name].searchable else None)
    held = account.get(answer.headers["Location"], headers={"If-None-Match": '"1"'})
    assert (held.status_code, held.data) == (304, b"")


@every_resource
def test_a_wrong_field_is_named_and_nothing_is_stored(account: Account, name: str) -> None:
    for wrong in (EXAMPLES[name].wrong, {"unheard_of": 1}, {"tags": ["a", "a"]}):
        answer = account.post(f"/v1/{name}", json=EXAMPLES[name].whole(account) | wrong)
        (problem,) = answer.json["errors"]
        assert (answer.status_code, problem["pointer"].split("/")[1]) == (422, next(iter(wrong)))
    assert listed(account, name) == []


@every_resource
def test_a_patch_changes_what_it_names_and_merges_metadata(account: Account, name: str) -> None:
    made = create(account, name, metadata={"a": 1, "b": 2}, source="mail")
    address = f"/v1/{name}/{made['id']}"
    patch = EXAMPLES[name].change | {"metadata": {"a": None, "c": 3}, "source": None}
    changed = account.patch(address, json=patch)
    assert changed.json["metadata"] == {"b": 2, "c": 3}
    assert (changed.json["source"], changed.json["tags"]) == (None, made["tags"])
    assert EXAMPLES[name].change.items() <= changed.json.items()
    again = account.patch(address, json=patch)
    assert again.headers["ETag"] == changed.headers["ETag"] == '"2"'
    cleared = account.patch(address, json={"tags": None, "metadata": None}).json
    assert (cleared["tags"], cleared["metadata"]) == ([], {})


@every_resource
def test_a_required_field_cannot_be_cleared(account: Account, name: str) -> None:
    made = create(account, name)
    (required,) = EXAMPLES[name].change
    answer = account.patch(f"/v1/{name}/{made['id']}", json={required: None})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/{required}")


@every_resource
def test_a_write_that_was_overtaken_is_refused(account: Account, name: str) -> None:
    made = create(account, name)
    address, change = f"/v1/{name}/{made['id']}", EXAMPLES[name].change
    assert account.patch(address, json=change, headers={"If-Match": '"1"'}).status_code == 200
    for late in (
        account.patch(address, json={"source": "x"}, headers={"If-Match": '"1"'}),
        account.delete(address, headers={"If-Match": '"1"'}),
    ):
        assert late.status_code == 412
    assert account.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    assert account.get(address).status_code == 404


@every_resource
def test_an_external_identifier_names_one_record_of_a_kind(account: Account, name: str) -> None:
    external = "calendar/7 ü"
    address = f"/v1/{name}/by-external-id/{quote(external)}"
    first = account.put(address, json=EXAMPLES[name].whole(account))
    same = account.put(address, json=EXAMPLES[name].whole(account))
    other = account.put(address, json=EXAMPLES[name].whole(account) | EXAMPLES[name].change)
    assert [one.status_code for one in (first, same, other)] == [201, 200, 200]
    assert [one.headers["ETag"] for one in (first, same, other)] == ['"1"', '"1"', '"2"']
    assert account.get(address).json == other.json
    taken = account.post(
        f"/v1/{name}", json=EXAMPLES[name].whole(account) | {"external_id": external}
    )
    assert (taken.status_code, taken.json["code"]) == (409, "external_id_taken")
    assert taken.json["existing_id"] == first.json["id"]
    for another in EXAMPLES.keys() - {name}:
        assert create(account, another, external_id=external)["external_id"] == external


@every_resource
def test_a_name_that_is_taken_cannot_be_taken_by_a_patch(account: Account, name: str) -> None:
    taken = create(account, name, external_id="one")
    made = create(account, name, external_id="two")
    answer = account.patch(f"/v1/{name}/{made['id']}", json={"external_id": "one"})
    assert (answer.status_code, answer.json["existing_id"]) == (409, taken["id"])


@every_resource
def test_a_request_that_is_repeated_with_its_key_is_done_once(account: Account, name: str) -> None:
    given = {"json": EXAMPLES[name].whole(account), "headers": {"Idempotency-Key": '"once"'}}
    first, again = account.post(f"/v1/{name}", **given), account.post(f"/v1/{name}", **given)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = EXAMPLES[name].whole(account) | EXAMPLES[name].change
    refused = account.post(f"/v1/{name}", json=other, headers=given["headers"])
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    assert len(listed(account, name)) == 1


@every_resource
def test_nobody_sees_or_touches_what_is_somebody_elses(
    account: Account, stranger: Account, name: str
) -> None:
    made = create(account, name, external_id="mine")
    address = f"/v1/{name}/{made['id']}"
    for answer in (
        stranger.get(address),
        stranger.get(f"/v1/{name}/by-external-id/mine"),
        stranger.patch(address, json=EXAMPLES[name].change),
        stranger.delete(address),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert listed(stranger, name) == []
    assert account.get(address).json == made
    assert (
        stranger.put(f"/v1/{name}/by-external-id/mine", json=EXAMPLES[name].whole(stranger)).json[
            "id"
        ]
        != (made["id"])
    )


@every_resource
def test_pages_follow_each_other_without_gap_or_repetition(account: Account, name: str) -> None:
    made = [create(account, name, source=f"s{n}")["id"] for n in range(5)]
    seen: list[str] = []
    answer = account.get(f"/v1/{name}?limit=2")
    while True:
        seen += [one["id"] for one in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            break
        assert answer.headers["Link"].endswith('; rel="next"')
        answer = account.get(answer.headers["Link"].split(">")[0][1:])
    assert seen == made[::-1]
    assert [one["id"] for one in listed(account, name, sort="created_at")] == made


@every_resource
def test_a_cursor_of_another_order_is_refused(account: Account, name: str) -> None:
    for _ in range(2):
        create(account, name)
    cursor = account.get(f"/v1/{name}?limit=1").json["next_cursor"]
    for query in (f"sort=created_at&cursor={cursor}", f"cursor={'A' * 40}"):
        answer = account.get(f"/v1/{name}?{query}")
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_cursor")


@every_resource
def test_a_bad_line_of_a_batch_fails_alone(account: Account, name: str) -> None:
    whole = EXAMPLES[name].whole(account) | {"external_id": "a"}
    lines = [whole, {"no": "thing"}, whole, EXAMPLES[name].another(account)]
    body = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n{"
    answer = account.post(
        f"/v1/{name}/batch", data=body, headers={"Content-Type": "application/x-ndjson"}
    )
    results = [json.loads(line) for line in answer.data.splitlines()]
    assert [one["status"] for one in results] == [201, 422, 200, 201, 400]
    assert [one["line"] for one in results] == [1, 2, 3, 4, 5]
    assert len(listed(account, name)) == 2


@every_resource
def test_common_conditions_choose(account: Account, name: str) -> None:
    tagged = create(account, name, tags=["rare"], source="mail")["id"]
    other = create(account, name, tags=["usual"])
    assert [one["id"] for one in listed(account, name, tag="rare")] == [tagged]
    assert [one["id"] for one in listed(account, name, source="mail")] == [tagged]
    since = listed(account, name, updated_since=other["updated_at"])
    assert [one["id"] for one in since] == [other["id"]]


@pytest.mark.parametrize("name", [one.name for one in SEARCHABLE.values()])
def test_what_waits_for_the_index_can_be_listed(account: Account, name: str) -> None:
    made = create(account, name)
    assert [one["id"] for one in listed(account, name, index_state="pending")] == [made["id"]]
    for state in ("indexed", "parked"):
        assert listed(account, name, index_state=state) == []


@every_resource
@pytest.mark.parametrize(
    "query",
    [
        "cursor=",
        "index_state=lost",
        "limit=0",
        "limit=1000000",
        "sort=owner_id",
        "unheard=1",
        "updated_since=yesterday",
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(
    account: Account, name: str, query: str
) -> None:
    assert account.get(f"/v1/{name}?{query}").status_code in {400, 422}


@every_resource
def test_an_unknown_identifier_is_not_found(account: Account, name: str) -> None:
    for unknown in (uuid.uuid4(), "no-identifier"):
        assert account.get(f"/v1/{name}/{unknown}").status_code == 404
