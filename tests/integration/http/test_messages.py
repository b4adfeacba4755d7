"""Messages and their conversations over HTTP: what is theirs besides what all resources do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.http.conftest import Account

MAIL = {
    "kind": "email",
    "message_id": "<1@example.org>",
    "sender": {"name": "Ann", "address": "Ann@Example.org"},
    "recipients": [{"name": None, "address": "ben@example.org"}],
    "subject": "The train",
    "body": "Is it on time?\nI wait.",
    "sent_at": "2030-01-01T08:00:00+01:00",
    "direction": "in",
}


def sent(account: Account, **fields: Any) -> Any:
    answer = account.post("/v1/messages", json=MAIL | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def refusal(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [one["pointer"] for one in answer.json.get("errors", [])]


def test_a_message_is_kept_as_it_was_given(account: Account) -> None:
    file = {"name": "map.pdf", "media_type": "application/pdf", "size": 2**40}
    given = MAIL | {
        "headers": {"list-id": "<trains.example.org>"},
        "references": ["0@example.org", "<00@example.org>"],
        "attachments": [file],
    }
    made = sent(account, **given)
    read = account.get(f"/v1/messages/{made['id']}").json
    assert read == made
    kept = {name: read[name] for name in given if name in ("kind", "subject", "body", "headers")}
    assert kept.items() <= given.items()
    assert (read["message_id"], read["sent_at"]) == ("1@example.org", "2030-01-01T07:00:00.000000Z")
    assert read["references"] == ["0@example.org", "00@example.org"]
    assert read["sender"] == MAIL["sender"]
    assert read["recipients"] == [{"role": "to", "name": None, "address": "ben@example.org"}]
    unsaid = {"sha256": None, "content_id": None, "inline": False, "document_id": None}
    assert read["attachments"] == [file | unsaid]
    assert (read["preview"], read["read_at"]) == ("Is it on time? I wait.", None)


def test_a_patch_replaces_the_parts_of_a_message_and_moves_nothing(account: Account) -> None:
    made = sent(account)
    patch = {"sender": {"name": "Cleo"}, "recipients": [{"address": "dan@example.org"}]}
    changed = account.patch(f"/v1/messages/{made['id']}", json=patch).json
    assert changed["sender"] == {"name": "Cleo", "address": None}
    assert [one["address"] for one in changed["recipients"]] == ["dan@example.org"]
    assert changed["conversation_id"] == made["conversation_id"]
    cleared = account.patch(f"/v1/messages/{made['id']}", json={"sender": None, "sent_at": None})
    assert (cleared.json["sender"], cleared.json["sent_at"]) == (None, None)
    assert account.get("/v1/messages?sender=ann@example.org").json["items"] == []


def test_lists_choose_messages_and_leave_their_bodies_out(account: Account) -> None:
    first = sent(account)
    reply = sent(
        account, message_id="2@example.org", in_reply_to="1@example.org", direction="out",
        sender={"address": "ben@example.org"}, sent_at="2030-01-02T08:00:00Z", body="It is late.",
    )  # fmt: skip
    chat = sent(account, kind="chat", message_id=None, sent_at=None, sender=None, body="Hello")
    names = {one["id"]: n for n, one in enumerate((first, reply, chat))}
    for query, found in {
        f"conversation_id={first['conversation_id']}": [1, 0],
        "kind=chat": [2],
        "direction=out": [1],
        "unread=true": [2, 0],
        "unread=false": [1],
        "sender=ANN@example.org": [0],
        f"message_id={quote(reply['message_id'])}": [1],
        "sent_after=2030-01-02T08:00:00Z": [1],
        "sent_before=2030-01-02T08:00:00Z&sort=sent_at": [2, 0],
        "sort=sent_at&kind=email": [0, 1],
        "text=late": [1],
    }.items():
        answer = account.get(f"/v1/messages?{query}")
        assert [names[one["id"]] for one in answer.json["items"]] == found, query
        assert all("body" not in one and one["preview"] for one in answer.json["items"])


def test_the_next_page_asks_the_same(account: Account) -> None:
    for _ in range(2):
        sent(account, message_id=None)
    first = account.get("/v1/messages?unread=true&limit=1")
    following = account.get(first.headers["Link"].split(">")[0][1:])
    assert [len(one.json["items"]) for one in (first, following)] == [1, 1]


def test_reading_a_message_again_keeps_the_moment_of_its_first_reading(account: Account) -> None:
    address = f"/v1/messages/{sent(account)['id']}"
    first, again = (account.post(f"{address}/mark-read") for _ in range(2))
    assert first.json["read_at"] is not None
    assert (again.json, again.headers["ETag"]) == (first.json, '"2"')
    assert account.post(f"{address}/mark-unread").json["read_at"] is None


def test_a_message_is_found_by_its_words_and_shown_without_its_body(
    account: Account, index: Any
) -> None:
    made = sent(account, subject=None, body="The heron stands in the reeds.")
    index()
    answer = account.post("/v1/search", json={"query": "heron in reeds", "kinds": ["message"]})
    (result,) = answer.json["results"]
    assert (result["item_id"], result["title"]) == (made["id"], "The heron stands in the reeds.")
    assert result["message"]["preview"] == made["preview"]
    assert "body" not in result["message"]
    days = {"happens_after": "2030-01-01T00:00:00Z", "happens_before": "2030-01-01T07:00:00Z"}
    asked = {"query": "heron", "filter": days}
    assert account.post("/v1/search", json=asked).json["results"] == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"kind": "letter"}, "/kind"),
        ({"message_id": "<>"}, "/message_id"),
        ({"message_id": "x" * 513}, "/message_id"),
        ({"references": ["a", " < > "]}, "/references"),
        ({"references": ["x"] * 101}, "/references"),
        ({"conversation_id": "01900000-0000-7000-8000-000000000000"}, "/conversation_id"),
        ({"conversation_id": "mine"}, "/conversation_id"),
        ({"subject": "a\x00b"}, "/subject"),
        ({"sent_at": "2030-01-01T08:00:00"}, "/sent_at"),
        ({"sender": {"mail": "x"}}, "/sender/mail"),
        ({"sender": "ann@example.org"}, "/sender"),
        ({"recipients": [{"role": "from", "address": "x"}]}, "/recipients/0/role"),
        ({"attachments": [{"media_type": "a/b", "size": -1}]}, "/attachments/0/size"),
        ({"attachments": [{"media_type": "a/b", "size": 10**30}]}, "/attachments/0/size"),
        ({"headers": {"a": 10**30}}, "/headers"),
        ({"preview": "mine"}, "/preview"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(
    account: Account, wrong: dict[str, Any], pointer: str
) -> None:
    assert refusal(account.post("/v1/messages", json=MAIL | wrong)) == (422, [pointer])
    assert account.get("/v1/messages").json["items"] == []
