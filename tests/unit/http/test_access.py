"""Who may ask, and from where."""

from __future__ import annotations

import pytest
from flask import Response

from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Call, PublicCall, Routes
from tests.unit.http.tiny import GOOD, USER, client

PREFLIGHT = {"Access-Control-Request-Method": "PATCH"}
ORIGIN = "https://app.example.org"


def test_a_route_is_closed_unless_it_is_declared_public() -> None:
    assert client().get("/open").status_code == 200
    answer = client().get("/things")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="atom"'


@pytest.mark.parametrize(
    "sent",
    ["Bearer bad-token", "Bearer", "Bearer  ", "Basic Z29vZA==", "good-token", "Bearer a b", ""],
)
def test_anything_but_a_valid_bearer_token_is_refused(sent: str) -> None:
    answer = client().get("/things", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="atom", error="invalid_token"'


def test_the_scheme_is_read_without_regard_to_case() -> None:
    answer = client().get("/things", headers={"Authorization": "bearer good-token"})
    assert answer.status_code == 200


def test_a_token_in_the_address_is_not_accepted() -> None:
    assert client().get("/things?access_token=good-token").status_code == 401


def test_a_stranger_learns_nothing_about_the_input() -> None:
    for path in ("/things?nonsense=1", "/things/by-name/a%00", f"/things/{USER}"):
        assert client().get(path).status_code == 401
    assert client().post("/things", data=b"{", content_type="text/plain").status_code == 401


@pytest.mark.parametrize("path", ["/closed", "/closed?nonsense=1", "/closed?limit=a"])
def test_a_caller_without_the_scope_is_told_which_and_learns_nothing_else(path: str) -> None:
    answer = client().post(path, headers=GOOD, data=b"{", content_type="text/plain")
    assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
    assert answer.json["scope"] == "admin:write"
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="atom", error="insufficient_scope", scope="admin:write"'
    )


def test_a_route_that_says_nothing_about_permission_is_not_built() -> None:
    careless = Routes("careless", "Routes that forgot something.")

    def closed(call: Call[None, None]) -> Response:
        return Response()

    def opened(call: PublicCall[None, None]) -> Response:
        return Response()

    for handler, needs in ((closed, None), (opened, Scope.SEARCH)):
        with pytest.raises(TypeError, match="GET /careless must be public or say what scope"):
            careless.add("GET", "/careless", needs=needs)(handler)
    with pytest.raises(TypeError, match="GET /made must be public"):
        careless.made("made", "About.", "GET /made", handler=closed)
    assert careless.declared == []


def test_answers_are_neither_kept_nor_guessed_at() -> None:
    headers = client().get("/things", headers=GOOD).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_configured_origin_may_read_answers() -> None:
    answer = client(frozenset({ORIGIN})).get("/open", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_problems_can_be_read_by_a_configured_origin_too() -> None:
    for path in ("/things", "/nowhere", "/fail/unexpected"):
        answer = client(frozenset({ORIGIN})).get(path, headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN + ".evil.example"])
def test_another_origin_gets_no_permission(origin: str) -> None:
    tiny = client(frozenset({ORIGIN}))
    headers = {"Origin": origin}
    for answer in (
        tiny.get("/open", headers=headers),
        tiny.options("/things", headers={**headers, **PREFLIGHT}),
        client().get("/open", headers=headers),
    ):
        assert "Access-Control" not in str(answer.headers)


def test_a_preflight_request_is_answered_without_a_token() -> None:
    tiny = client(frozenset({ORIGIN}))
    answer = tiny.options(f"/things/{USER}", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]


def test_a_star_lets_every_origin_in() -> None:
    answer = client(frozenset({"*"})).get("/open", headers={"Origin": "https://any.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://any.example"
