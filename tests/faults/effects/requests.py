"""Writing requests, the effects that each has, and what must be there when it has taken place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.faults.effects.operations import ONE, THREE, TWO
from tests.faults.effects.users import PASSWORD, User

BEFORE = {"a": THREE, "b": ONE}
"""What a user has stored before each of these requests."""

Send = Callable[[httpx.Client, User], httpx.Response]


@dataclass(frozen=True, slots=True)
class Request:
    """``answers``: the status of the first answer, and of the same request sent again."""

    name: str
    send: Send
    effects: tuple[str, ...]
    after: dict[str, str]
    answers: tuple[int, int]


def create(client: httpx.Client, _: User) -> httpx.Response:
    given = {"title": "Tides", "text": TWO, "external_id": "new"}
    return client.post("/v1/documents", json=given, headers={"Idempotency-Key": '"once"'})


def replace(client: httpx.Client, _: User) -> httpx.Response:
    given = {"title": "Tides", "text": TWO}
    return client.put("/v1/documents/by-external-id/a", json=given)


def change(client: httpx.Client, user: User) -> httpx.Response:
    address = f"/v1/documents/{user.ids['a']}"
    return client.patch(address, json={"text": TWO}, headers={"If-Match": '"1"'})


def delete(client: httpx.Client, user: User) -> httpx.Response:
    return client.delete(f"/v1/documents/{user.ids['a']}")


def leave(client: httpx.Client, _: User) -> httpx.Response:
    return client.request("DELETE", "/v1/users/me", json={"password": PASSWORD})


REQUESTS = [
    Request("create", create, ("add", "store"), BEFORE | {"new": TWO}, (201, 201)),
    Request("replace", replace, ("change", "want"), BEFORE | {"a": TWO}, (200, 200)),
    Request("change", change, ("change", "want"), BEFORE | {"a": TWO}, (200, 412)),
    Request("delete", delete, ("remove", "bury"), {"b": ONE}, (204, 404)),
    Request("account deletion", leave, ("remove", "bury_all", "begin"), {}, (202, 401)),
]


def load(client: httpx.Client, _: User) -> httpx.Response:
    """By batch: every line is a transaction of its own."""
    lines = "".join(
        f'{{"title": "Tides", "text": "Line {name}.", "external_id": "{name}"}}\n'
        for name in LOADED
    )
    return client.post(
        "/v1/documents/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )


LOADED = {"x": "Line x.", "y": "Line y.", "z": "Line z."}
"""What ``load`` stores, in its order."""
