"""Conversations over HTTP: their lists, their messages, and marking these as read."""

from __future__ import annotations

from typing import Any

import pytest

from atom_backend.services import conversations as service
from tests.integration.http.conftest import Account

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def send(account: Account, message_id: str, hour: int | None, **fields: Any) -> Any:
    given = {
        "kind": "email",
        "message_id": message_id,
        "subject": f"Re: {message_id}",
        "body": f"This is {message_id}.",
        "direction": "in",
        "sender": {"name": "Ann", "address": "ann@example.org"},
        "recipients": [{"address": "ben@example.org"}],
        "sent_at": None if hour is None else f"2030-01-01T{hour:02}:00:00Z",
    }
    answer = account.post("/v1/messages", json=given | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.json["items"]]


def every_page(account: Account, path: str) -> list[str]:
    seen: list[str] = []
    answer = account.get(path)
    while True:
        assert answer.status_code == 200, answer.text
        seen += ids(answer)
        if answer.json["next_cursor"] is None:
            assert "Link" not in answer.headers
            return seen
        answer = account.get(answer.headers["Link"].split(">")[0][1:])


def test_a_conversation_says_who_wrote_what_last_and_how_much_is_unread(account: Account) -> None:
    first = send(account, "a", 8)
    send(account, "b", 9, in_reply_to="a", direction="out", sender={"address": "BEN@example.org"})
    last = send(account, "c", 10, in_reply_to="b", sender={"name": "Cleo"})
    (one,) = account.get("/v1/conversations").json["items"]
    assert (one["id"], one["subject"]) == (first["conversation_id"], "a")
    assert (one["messages"], one["unread"]) == (3, 2)
    assert one["last_at"] == last["sent_at"]
    cleo = {"name": "Cleo", "address": None}
    short = {name: last[name] for name in ("id", "kind", "preview", "sent_at")}
    assert one["last_message"] == {**short, "sender": cleo}
    assert one["participants"] == [
        cleo,
        {"name": None, "address": "ben@example.org"},
        {"name": "Ann", "address": "ann@example.org"},
    ]


def test_conversations_come_newest_first_page_by_page(account: Account) -> None:
    hours = {"a": 5, "b": 9, "c": None, "d": 7, "e": 9}
    made = [send(account, name, hour) for name, hour in hours.items()]
    send(account, "f", 11, in_reply_to="d", kind="notification")
    a, b, c, d, e = (one["conversation_id"] for one in made)
    tied = sorted((b, e), reverse=True)
    assert every_page(account, "/v1/conversations?limit=2") == [d, *tied, a, c]
    assert ids(account.get("/v1/conversations?since=2030-01-01T09:00:00Z")) == [d, *tied]
    assert ids(account.get("/v1/conversations?kind=notification")) == [d]
    account.post("/v1/messages/mark-read", json={"conversation_id": d})
    assert ids(account.get("/v1/conversations?unread=false")) == [d]
    assert every_page(account, "/v1/conversations?limit=1&unread=true") == [*tied, a, c]


def test_a_conversation_is_read_in_order_with_bodies(account: Account) -> None:
    made = [send(account, str(n), n, in_reply_to="0") for n in (3, 0, 2, 1)]
    undated = send(account, "x", None, in_reply_to="0")
    in_order = [made[n]["id"] for n in (1, 3, 2, 0)]
    path = f"/v1/conversations/{made[0]['conversation_id']}"
    whole = account.get(path).json
    assert whole["conversation"] == account.get("/v1/conversations").json["items"][0]
    assert [one["body"] for one in whole["items"]][:2] == ["This is 0.", "This is 1."]
    assert every_page(account, f"{path}?limit=2") == [*in_order, undated["id"]]
    assert every_page(account, f"{path}?limit=2&sort=-sent_at") == [*in_order[::-1], undated["id"]]


def test_a_page_of_messages_ends_before_its_bodies_become_large(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAGE_BYTES", 1_000)
    sizes = (300, 700, 1, 5_000, 500, 500)
    made = [
        send(account, str(n), n, in_reply_to="0", body="x" * size) for n, size in enumerate(sizes)
    ]
    path = f"/v1/conversations/{made[0]['conversation_id']}"
    assert len(account.get(path).json["items"]) == 2
    assert every_page(account, path) == [one["id"] for one in made]


def test_a_conversation_is_found_by_what_it_was_called_before_a_merge(account: Account) -> None:
    late = send(account, "late", 9)
    early = send(account, "early", 8)
    send(account, "both", 10, references=["early", "late"])
    answer = account.get(f"/v1/conversations/{late['conversation_id']}").json
    assert answer["conversation"]["id"] == early["conversation_id"]
    assert answer["conversation"]["messages"] == 3


def test_messages_are_marked_as_read_once(account: Account) -> None:
    made = [send(account, str(n), n, in_reply_to="0") for n in range(4)]
    own = send(account, "own", 5, direction="out")
    chosen = {"ids": [made[0]["id"], own["id"], UNKNOWN]}
    first = account.post("/v1/messages/mark-read", json=chosen)
    assert first.json == {"marked": 1, "unknown": [UNKNOWN]}
    read = account.get(f"/v1/messages/{made[0]['id']}")
    assert (read.json["revision"], read.headers["ETag"]) == (2, '"2"')
    assert account.post("/v1/messages/mark-read", json=chosen).json["marked"] == 0
    assert account.get(f"/v1/messages/{made[0]['id']}").json == read.json
    until = {"conversation_id": made[0]["conversation_id"], "until": made[2]["sent_at"]}
    assert account.post("/v1/messages/mark-read", json=until).json["marked"] == 2
    (rest,) = account.get("/v1/messages?unread=true").json["items"]
    assert rest["id"] == made[3]["id"]


def test_nothing_of_somebody_else_is_shown_or_marked(account: Account, stranger: Account) -> None:
    made = send(account, "a", 8)
    send(stranger, "a", 8)
    path = f"/v1/conversations/{made['conversation_id']}"
    assert stranger.get(path).status_code == 404
    by_ids = stranger.post("/v1/messages/mark-read", json={"ids": [made["id"]]})
    assert by_ids.json == {"marked": 0, "unknown": [made["id"]]}
    whole = {"conversation_id": made["conversation_id"]}
    refused = stranger.post("/v1/messages/mark-read", json=whole)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/conversation_id")
    assert account.get(path).json["conversation"]["unread"] == 1
    assert len(ids(stranger.get("/v1/conversations"))) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ids"),
        ({"ids": [UNKNOWN], "conversation_id": UNKNOWN}, "/ids"),
        ({"ids": []}, "/ids"),
        ({"ids": [UNKNOWN] * 1_001}, "/ids"),
        ({"ids": ["x"]}, "/ids/0"),
        ({"ids": [UNKNOWN], "until": "2030-01-01T00:00:00Z"}, "/until"),
        ({"conversation_id": UNKNOWN}, "/conversation_id"),
    ],
)
def test_an_unclear_wish_to_mark_is_refused(
    account: Account, body: dict[str, Any], pointer: str
) -> None:
    answer = account.post("/v1/messages/mark-read", json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize(
    "query", ["cursor=xx", "limit=0", "unread=maybe", "kind=letter", "since=1"]
)
def test_a_list_that_cannot_be_understood_is_refused(account: Account, query: str) -> None:
    assert account.get(f"/v1/conversations?{query}").status_code in (400, 422)
