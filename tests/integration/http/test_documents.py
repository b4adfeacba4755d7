"""Documents over HTTP, on the real stores."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.http.conftest import Account
from tests.unit.extraction.samples import make_pdf

TEA: dict[str, Any] = {"title": "Tea", "text": "Green tea wants 80 degrees.", "tags": ["kitchen"]}
BY_NAME = "/v1/documents/by-external-id"


def test_a_document_comes_back_as_it_was_given(account: Account) -> None:
    given: dict[str, Any] = {
        **TEA,
        "text": "  naïve\r\n\ttext 😀 ",
        "content_type": "text/markdown",
        "source": "notes",
        "external_id": "n/1",
        "metadata": {"a": [1, 2.5, None, {"b": True}]},
    }
    answer = account.post("/v1/documents", json=given)
    assert answer.status_code == 201
    document = answer.json
    assert answer.headers["Location"] == f"/v1/documents/{document['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert {name: document[name] for name in given if name != "text"} == {
        name: value for name, value in given.items() if name != "text"
    }
    assert document["byte_size"] == len(given["text"].encode())
    assert (document["index_state"], document["revision"]) == ("pending", 1)
    assert account.get(f"/v1/documents/{document['id']}").json == document
    assert account.get(f"{BY_NAME}/n/1").json == document
    text = account.get(f"/v1/documents/{document['id']}/text")
    assert text.json["text"] == given["text"]
    plain = account.get(f"/v1/documents/{document['id']}/text", headers={"Accept": "text/plain"})
    assert plain.data.decode() == given["text"]
    assert plain.content_type == "text/plain; charset=utf-8"


def test_a_file_becomes_a_document(account: Account) -> None:
    html = b"<html><title>On tea</title><body><p>Green tea wants 80 degrees.</p></body></html>"
    form = {"file": (io.BytesIO(html), "tea.html"), "tags": "a, b", "metadata": '{"x": 1}'}
    answer = account.post("/v1/documents", data=form, content_type="multipart/form-data")
    assert answer.status_code == 201
    document = answer.json
    assert (document["title"], document["content_type"]) == ("On tea", "text/html")
    assert (document["tags"], document["metadata"]) == (["a", "b"], {"x": 1})
    assert document["byte_size"] == len(html)
    text = account.get(f"/v1/documents/{document['id']}/text").json["text"]
    assert "Green tea wants 80 degrees." in text


def test_a_file_without_text_is_refused(account: Account) -> None:
    form = {"file": (io.BytesIO(b"\x00\x01\x02\x03" * 50), "a.bin")}
    answer = account.post("/v1/documents", data=form, content_type="multipart/form-data")
    assert answer.status_code in (415, 422)


def test_a_taken_name_is_refused_and_its_holder_named(account: Account, stranger: Account) -> None:
    first = account.store(external_id="n-1")
    answer = account.post("/v1/documents", json={**TEA, "external_id": "n-1"})
    assert (answer.status_code, answer.json["code"]) == (409, "external_id_taken")
    assert answer.json["existing_id"] == first["id"]
    assert stranger.store(external_id="n-1")["id"] != first["id"]


def test_a_put_creates_then_leaves_alone_then_replaces(account: Account) -> None:
    created = account.put(f"{BY_NAME}/a%2Fb c", json=TEA)
    assert (created.status_code, created.json["external_id"]) == (201, "a/b c")
    same = account.put(f"{BY_NAME}/a%2Fb c", json=TEA)
    assert (same.status_code, same.json["revision"]) == (200, 1)
    changed = account.put(f"{BY_NAME}/a%2Fb c", json={**TEA, "text": "Black tea."})
    assert (changed.status_code, changed.json["revision"]) == (200, 2)
    assert changed.json["id"] == created.json["id"]


def test_a_put_can_send_a_file(account: Account) -> None:
    form = {"file": (io.BytesIO(b"Green tea."), "tea.txt")}
    answer = account.put(f"{BY_NAME}/tea.txt", data=form, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["title"]) == (201, "tea")
    pdf = make_pdf(["Black tea wants 95 degrees."])
    form = {"file": (io.BytesIO(pdf), "tea.pdf")}
    other = account.put(f"{BY_NAME}/tea.txt", data=form, content_type="multipart/form-data").json
    assert (other["content_type"], other["byte_size"]) == ("application/pdf", len(pdf))
    tagged = account.patch(f"/v1/documents/{other['id']}", json={"tags": ["black"]}).json
    assert (tagged["content_type"], tagged["byte_size"]) == ("application/pdf", len(pdf))
    as_text = account.put(f"{BY_NAME}/tea.txt", json=TEA).json
    assert (as_text["content_type"], as_text["byte_size"]) == ("text/plain", len(TEA["text"]))


@pytest.mark.parametrize(("if_match", "status"), [("*", 412), ('"1"', 412), (None, 201)])
def test_a_put_can_insist_that_there_is_something_to_replace(
    account: Account, if_match: str | None, status: int
) -> None:
    headers = {"If-Match": if_match} if if_match else {}
    assert account.put(f"{BY_NAME}/x", json=TEA, headers=headers).status_code == status


def test_an_idempotency_key_stores_once(account: Account) -> None:
    headers = {"Idempotency-Key": '"k-1"'}
    first = account.post("/v1/documents", json=TEA, headers=headers)
    again = account.post(
        "/v1/documents",
        data=" " + json.dumps(TEA),
        headers=headers,
        content_type="application/json",
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert len(account.get("/v1/documents").json["items"]) == 1
    other = account.post("/v1/documents", json={**TEA, "title": "T"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_an_idempotency_key_covers_a_file_whatever_the_boundary(account: Account) -> None:
    def send(content: bytes) -> Any:
        return account.post(
            "/v1/documents",
            data={"file": (io.BytesIO(content), "a.txt")},
            headers={"Idempotency-Key": "k"},
            content_type="multipart/form-data",
        )

    assert send(b"Green tea.").json["id"] == send(b"Green tea.").json["id"]
    assert send(b"Black tea.").status_code == 422


def test_a_key_belongs_to_its_user(account: Account, stranger: Account) -> None:
    headers = {"Idempotency-Key": "k"}
    first = account.post("/v1/documents", json=TEA, headers=headers)
    other = stranger.post("/v1/documents", json=TEA, headers=headers)
    assert first.json["id"] != other.json["id"]


def test_a_patch_changes_only_what_it_names(account: Account) -> None:
    document = account.store(source="s", metadata={"a": {"b": 1, "c": 2}, "d": 3})
    path = f"/v1/documents/{document['id']}"
    patch = {"source": None, "metadata": {"a": {"b": None, "e": 5}, "d": None}}
    changed = account.patch(path, json=patch)
    assert changed.status_code == 200
    assert changed.headers["ETag"] == '"2"'
    assert changed.json["source"] is None
    assert changed.json["metadata"] == {"a": {"c": 2, "e": 5}}
    assert changed.json["title"] == document["title"]
    assert account.patch(path, json={}).json["revision"] == 2


def test_a_patched_text_has_its_own_size(account: Account) -> None:
    document = account.store()
    changed = account.patch(f"/v1/documents/{document['id']}", json={"text": "ä" * 7})
    assert changed.json["byte_size"] == 14


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"text": " "}, "/text"),
        ({"id": "x"}, "/id"),
        ({"content_type": "application/pdf"}, "/content_type"),
        ({"metadata": {"x": "y" * 70_000}}, "/metadata"),
    ],
)
def test_a_patch_is_checked(account: Account, patch: dict[str, Any], pointer: str) -> None:
    document = account.store()
    answer = account.patch(f"/v1/documents/{document['id']}", json=patch)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_stale_writer_is_told_so(account: Account) -> None:
    document = account.store()
    path, stale = f"/v1/documents/{document['id']}", {"If-Match": '"1"'}
    assert account.patch(path, json={"title": "A"}, headers=stale).status_code == 200
    answer = account.patch(path, json={"title": "B"}, headers=stale)
    assert (answer.status_code, answer.json["code"]) == (412, "precondition_failed")
    assert account.delete(path, headers=stale).status_code == 412
    assert account.delete(path, headers={"If-Match": '"1", "2"'}).status_code == 204


def test_an_unchanged_document_is_not_sent_again(account: Account) -> None:
    path = f"/v1/documents/{account.store()['id']}"
    for address in (path, f"{path}/text"):
        answer = account.get(address, headers={"If-None-Match": '"1"'})
        assert (answer.status_code, answer.data) == (304, b"")
    account.patch(path, json={"title": "T"})
    assert account.get(path, headers={"If-None-Match": '"1"'}).status_code == 200


def test_what_is_removed_is_gone_at_once(account: Account) -> None:
    path = f"/v1/documents/{account.store(external_id='x')['id']}"
    assert account.delete(path).status_code == 204
    for address in (path, f"{path}/text", f"{path}/chunks", f"{BY_NAME}/x"):
        assert account.get(address).status_code == 404
    assert account.delete(path).status_code == 404
    assert account.get("/v1/documents").json["items"] == []


def test_a_stranger_finds_nothing_there(account: Account, stranger: Account) -> None:
    path = f"/v1/documents/{account.store(external_id='x')['id']}"
    for answer in (
        stranger.get(path),
        stranger.get(f"{path}/text"),
        stranger.get(f"{path}/chunks"),
        stranger.get(f"{BY_NAME}/x"),
        stranger.patch(path, json={"title": "T"}),
        stranger.delete(path),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert stranger.get("/v1/documents").json["items"] == []


def test_pages_follow_each_other_without_gap_or_overlap(account: Account) -> None:
    stored = [account.store(title=f"T{n}")["id"] for n in range(5)]
    seen, path = [], "/v1/documents?limit=2"
    while path:
        page = account.get(path)
        seen += [one["id"] for one in page.json["items"]]
        link = re.fullmatch(r'<(.+)>; rel="next"', page.headers.get("Link", ""))
        assert (link is None) == (page.json["next_cursor"] is None)
        path = link[1] if link else ""
    assert seen == stored[::-1]


def test_a_list_can_be_narrowed(account: Account) -> None:
    first = account.store(tags=["a & b", "c"])
    second = account.store(tags=["c"])
    tagged = account.get("/v1/documents?tag=a+%26+b&limit=1").json
    assert ([one["id"] for one in tagged["items"]], tagged["next_cursor"]) == ([first["id"]], None)
    since = account.get(f"/v1/documents?updated_since={second['updated_at']}").json
    assert [one["id"] for one in since["items"]] == [second["id"]]
    assert len(account.get("/v1/documents?index_state=pending").json["items"]) == 2
    assert account.get("/v1/documents?index_state=indexed").json["items"] == []
    for cursor in ("nonsense", ""):
        answer = account.get(f"/v1/documents?cursor={cursor}")
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_cursor")


def test_the_chunks_of_a_document_appear_once_it_is_indexed(
    account: Account, index: Callable[[], None]
) -> None:
    document = account.store(text="Green tea wants 80 degrees.")
    path = f"/v1/documents/{document['id']}"
    assert account.get(f"{path}/chunks").json["chunks"] == []
    index()
    assert account.get(path).json["index_state"] == "indexed"
    said = account.get(f"{path}/chunks").json
    assert said == {
        "id": document["id"],
        "revision": 1,
        "chunks": [{"ordinal": 0, "start": 0, "end": 27, "text": "Green tea wants 80 degrees."}],
    }


def test_a_writer_can_wait_until_its_write_can_be_found(
    account: Account, index: Callable[[], None]
) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            index()
            done.wait(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        answer = account.post("/v1/documents", json=TEA, prefer="wait=30")
    finally:
        done.set()
        worker.join()
    assert answer.json["index_state"] == "indexed"
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["ETag"] == f'"{answer.json["revision"]}"'


def test_a_writer_that_waits_in_vain_is_answered_all_the_same(account: Account) -> None:
    answer = account.post("/v1/documents", json=TEA, prefer="wait=0")
    assert (answer.status_code, answer.json["index_state"]) == (201, "pending")
