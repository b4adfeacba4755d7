"""Archives for tests: asked for, made up, and sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from tests.integration.http.conftest import Account
from tests.integration.http.test_records import EXAMPLES

EXPORT, IMPORT = "/v1/users/me/export", "/v1/users/me/import"
NDJSON = {"Content-Type": "application/x-ndjson"}
every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)

Lines = list[dict[str, Any]]


def export(account: Account) -> Lines:
    answer = account.get(EXPORT)
    assert (answer.status_code, answer.content_type) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.data.splitlines()]


def bring(account: Account, lines: Lines | bytes) -> Any:
    if not isinstance(lines, bytes):
        lines = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return account.post(IMPORT, data=lines, headers=NDJSON)


def records(lines: Lines) -> Lines:
    return lines[2:-1]


def comparable(lines: Lines) -> Lines:
    """The records; a conversation, which is named anew, by the first message in it."""
    first: dict[str, str] = {}
    for line in records(lines):
        conversation = line["values"].get("conversation_id")
        if conversation is not None:
            line["values"]["conversation_id"] = first.setdefault(conversation, line["id"])
    return records(lines)


def stored(account: Account, resource: Resource) -> str:
    """The address of a new record."""
    if resource.keyed:
        address = f"/v1/{resource.name}/garden.beds"
        assert account.put(address, json={"value": [1]}).status_code == 201
        return address
    made = account.post(f"/v1/{resource.name}", json=EXAMPLES[resource.name].whole(account))
    assert made.status_code == 201, made.text
    return str(made.headers["Location"])


def a_task(**values: Any) -> dict[str, Any]:
    at = "2026-01-02T03:04:05.678901Z"
    return {
        "type": "task",
        "id": str(new_id()),
        "revision": 7,
        "created_at": at,
        "updated_at": at,
        "values": {"title": "Water the fern"} | values,
    }


def ended(*lines: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line["type"]] = counts.get(line["type"], 0) + 1
    return {"type": "end", "counts": counts}


def around(account: Account, *lines: Any) -> Lines:
    return [*export(account)[:2], *lines, ended(*lines)]
