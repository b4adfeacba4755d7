"""A short round of ``scripts/fuzz`` finds nothing in the service, and what is wrong in another."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.e2e.conftest import Service
from tests.fuzzing.callers import Admin, Caller, Program, User
from tests.fuzzing.rounds import Fuzzing
from tests.fuzzing.tally import Tally

SEED = 11
CHOSEN = {
    "GET /v1/documents",
    "POST /v1/documents",
    "PATCH /v1/documents/{item_id}",
    "POST /v1/tasks/batch",
    "PUT /v1/preferences/{key}",
    "POST /v1/search",
    "POST /v1/auth/login",
    "GET /v1/admin/audit",
}
CASES = 90


@pytest.mark.timeout(300)
def test_a_short_round_finds_nothing(service: Service) -> None:
    def make_admin(email: str, password: str) -> None:
        made = service.run("admin", "create", email, "--password", password)
        assert made.returncode == 0, made.stderr

    tally = Tally(SEED)
    with ExitStack() as stack:
        users = [User(service.url), Admin(service.url, make_admin), Program(service.url)]
        for one in users:
            stack.callback(one.close)
        every = Fuzzing(service.url, [Caller(), *users], tally, only=CHOSEN.__contains__)
        stack.enter_context(closing(every)).run(CASES)
    assert tally.findings == []
    assert tally.server_errors == 0
    assert tally.cases >= CASES
    assert tally.operations == CHOSEN
    assert {caller for caller, _ in tally.asked} == {"nobody", "user", "admin", "key"}
    assert {status for _, status in tally.answers} == {2, 4}


_ANNOUNCED = {
    "openapi": "3.1.0",
    "info": {"title": "A service that breaks", "version": "1"},
    "paths": {
        "/broken": {"get": {"tags": ["broken"], "responses": {"200": {"description": "fine"}}}},
        "/strange": {"get": {"tags": ["strange"], "responses": {"200": {"description": "fine"}}}},
    },
}


class _Broken(BaseHTTPRequestHandler):
    """500 at one address, and at the other a status that was not announced."""

    def do_GET(self) -> None:
        known = self.path == "/openapi.json"
        self.send_response(200 if known else 500 if self.path == "/broken" else 418)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(_ANNOUNCED if known else {}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def broken_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_server_error_and_an_unannounced_answer_are_findings(broken_url: str) -> None:
    tally = Tally(SEED)
    with closing(Fuzzing(broken_url, [Caller()], tally)) as fuzzing:
        fuzzing.run(4)
    assert tally.server_errors == tally.answers["broken", 5] > 0
    assert any("GET /broken (nobody, positive) -> 500" in one for one in tally.findings)
    assert any("GET /strange (nobody, positive) -> 418" in one for one in tally.findings)
    assert f"{tally.server_errors} server errors" in tally.markdown()
