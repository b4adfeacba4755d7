"""What browsers are told: how to treat answers, and which sites may read them."""

from __future__ import annotations

from typing import Any

import pytest

from atom_backend.http.application import RESOURCES
from atom_backend.http.exposure import Exposure
from tests.unit.http.tiny import GOOD, USER, client

ORIGIN = "https://app.example.org"
LISTED = Exposure(origins=frozenset({ORIGIN, "http://localhost:3000"}))
ANY = Exposure(origins=frozenset({"*"}))
OTHERS = [
    "https://evil.example",
    "null",
    "http://app.example.org",
    "https://APP.example.org",
    f"{ORIGIN}.evil.example",
    f"{ORIGIN}:8443",
    f"{ORIGIN}/",
    f"{ORIGIN} {ORIGIN}",
    "https://evil.example/https://app.example.org",
    "https://localhost:3000",
    "*",
    "",
]
EVERY_ANSWER = [
    ("GET", "/open", 200),
    ("GET", "/things", 401),
    ("GET", "/nowhere", 404),
    ("BREW", "/things", 405),
    ("POST", "/lines", 401),
    ("GET", "/fail/Forbidden", 403),
    ("GET", "/fail/TooManyRequests", 429),
    ("GET", "/fail/unexpected", 500),
    ("GET", "/fail/DatabaseUnavailable", 503),
    ("GET", "/docs", 200),
    ("GET", "/docs/swagger-ui.css", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/", 200),
]
SAFELISTED = {"content-length", "content-type", "cache-control", "last-modified"}


def names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


def preflight(exposure: Exposure, origin: str, method: str = "PATCH") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client(exposure).options(f"/things/{USER}", headers=headers)


@pytest.mark.parametrize(("method", "path", "status"), EVERY_ANSWER)
def test_every_answer_says_how_it_is_to_be_treated(method: str, path: str, status: int) -> None:
    answer = client(Exposure(by_https=True)).open(path, method=method, buffered=True)
    headers = answer.headers
    assert answer.status_code == status
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_only_what_is_the_same_for_everybody_may_be_kept() -> None:
    kept = {
        path
        for _, path, _ in EVERY_ANSWER
        if client().get(path, buffered=True).headers["Cache-Control"] != "no-store"
    }
    assert kept == {"/docs", "/docs/swagger-ui.css", "/openapi.json"}
    assert client().get("/things", headers=GOOD).headers["Cache-Control"] == "no-store"


def test_the_page_loads_what_it_needs_from_here_and_nothing_else() -> None:
    policy = client().get("/docs").headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    assert not [one for one in policy if "http" in one or "unsafe-eval" in one]


def test_https_is_asked_for_only_where_callers_use_it() -> None:
    assert "Strict-Transport-Security" not in client().get("/open").headers


@pytest.mark.parametrize(("method", "path", "status"), EVERY_ANSWER)
def test_a_listed_origin_may_read_every_answer(method: str, path: str, status: int) -> None:
    answer = client(LISTED).open(path, method=method, headers={"Origin": ORIGIN}, buffered=True)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_gets_no_permission_and_no_reason(origin: str) -> None:
    tiny = client(LISTED)
    answers = [
        tiny.get("/open", headers={"Origin": origin}),
        preflight(LISTED, origin),
        client().get("/open", headers={"Origin": origin}),
    ]
    assert not [one for one in answers if "Access-Control" in str(one.headers)]
    assert "Origin" in answers[0].headers["Vary"]
    assert "Origin" in tiny.get("/open").headers["Vary"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_request_is_answered_without_a_token(method: str) -> None:
    answer = preflight(LISTED, ORIGIN, method)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert "*" not in str(answer.headers)


def test_scripts_may_use_every_method_and_header_that_a_route_knows() -> None:
    declared = [route for group in RESOURCES for route in group.declared]
    answer = preflight(LISTED, ORIGIN).headers
    asked = {header.name.lower() for route in declared for header in route.headers}
    told = {
        name.lower() for route in declared for answer in route.answers for name in answer.headers
    }
    assert {route.method.lower() for route in declared} <= names(
        answer["Access-Control-Allow-Methods"]
    )
    assert asked | {"authorization", "content-type", "x-request-id"} <= names(
        answer["Access-Control-Allow-Headers"]
    )
    everywhere = {"x-request-id", "retry-after", "www-authenticate", "idempotency-replayed"}
    exposed = names(answer["Access-Control-Expose-Headers"])
    assert (told | everywhere) - SAFELISTED - {"set-cookie"} <= exposed, "cookies are no script's"


@pytest.mark.parametrize(("origin", "allowed"), [("https://any.example", True), ("null", False)])
def test_a_star_lets_every_origin_in_that_is_one(origin: str, allowed: bool) -> None:
    headers = client(ANY).get("/open", headers={"Origin": origin}).headers
    assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
