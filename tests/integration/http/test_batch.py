"""Bulk loading: one answer a line, in order, and a bad line fails alone."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from tests.integration.http.conftest import Account


def load(account: Account, *lines: dict[str, Any] | bytes) -> list[Any]:
    body = b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )
    answer = account.post("/v1/documents/batch", data=body, content_type="application/x-ndjson")
    assert (answer.status_code, answer.content_type) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_good_lines_are_stored_and_bad_ones_explained(account: Account) -> None:
    good, bad, named = (
        {"title": "A", "text": "Tea."},
        {"title": "", "text": "Tea."},
        {"title": "B", "text": "Tea.", "external_id": "b"},
    )
    said = load(account, good, bad, b"", b"nonsense", named, named, {**named, "text": "Coffee."})
    assert [(one["line"], one["status"]) for one in said] == [
        (1, 201),
        (2, 422),
        (4, 400),
        (5, 201),
        (6, 200),
        (7, 200),
    ]
    assert said[1]["error"]["errors"][0]["pointer"] == "/title"
    assert said[2]["error"]["code"] == "malformed_request"
    assert [one["document"]["revision"] for one in said[3:]] == [1, 1, 2]
    titles = [one["title"] for one in account.get("/v1/documents").json["items"]]
    assert titles == ["B", "A"]


def test_a_line_that_is_too_long_fails_alone(account: Account) -> None:
    long = {"title": "L", "text": "x" * 300_000}
    said = load(account, long, {"title": "A", "text": "Tea."})
    assert [(one["line"], one["status"]) for one in said] == [(1, 413), (2, 201)]


def test_lines_are_stored_while_the_rest_is_still_to_come(account: Account) -> None:
    class Upload:
        """A body that gives a line only when the ones before are stored."""

        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int = -1) -> bytes:
            deadline = time.monotonic() + 30
            while len(account.get("/v1/documents").json["items"]) < self.given:
                assert time.monotonic() < deadline, "the lines before were not stored"
            if self.given == 3:
                return b""
            self.given += 1
            return b'{"title": "A", "text": "Tea."}\n'

    environ = {"wsgi.input": Upload(), "wsgi.input_terminated": True}
    answer = account.post(
        "/v1/documents/batch", content_type="application/jsonl", environ_overrides=environ
    )
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 201, 201]


def test_a_client_that_goes_away_stops_its_load(account: Account) -> None:
    class Endless:
        """A body without an end."""

        def read(self, size: int = -1) -> bytes:
            return b'{"title": "A", "text": "Tea."}\n'

    environ = {"wsgi.input": Endless(), "wsgi.input_terminated": True}
    answer = account.post(
        "/v1/documents/batch", content_type="application/x-ndjson", environ_overrides=environ
    )
    lines = answer.iter_encoded()
    assert json.loads(next(lines))["status"] == 201
    answer.close()
    deadline = time.monotonic() + 30
    while any(thread.name == "read-ahead" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the body is still being read"
    assert len(account.get("/v1/documents").json["items"]) == 1


def test_a_load_without_a_token_reads_nothing(account: Account) -> None:
    answer = account.post("/v1/documents/batch", data=b"{}", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
