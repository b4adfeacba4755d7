"""PostgreSQL is gone or hangs: who has a valid token searches on, in the own partition, marked.

Everybody else, and everything else, hears that it is down and when to come back (I4, I6).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest

from tests.faults.degradation.caller import MODES, Caller, items, refused_for_now
from tests.faults.degradation.outages import without_lancedb, without_postgresql
from tests.faults.deployment import eventually
from tests.faults.environment.site import SETTINGS, Site

LEGS = {"hybrid": ["vector", "text"], "vector": ["vector"], "text": ["text"]}
CROWD = 24


@pytest.fixture
def caller(site: Site, caller: Caller) -> Caller:
    for text in ("The moon pulls the tides.", "Spring tides follow the new moon."):
        caller.write(text, title="Almanac", tags=["sea"])
    caller.write("Mountains do not move.")
    site.wait_until_in_step()
    return caller


def is_marked(answer: dict[str, Any], mode: str = "hybrid") -> bool:
    return (
        answer["degraded"] == ["postgresql"]
        and answer["legs"] == LEGS[mode]
        and all(
            (one["enriched"], one["document"], one["stale"]) == (False, None, None)
            for one in answer["results"]
        )
    )


def test_every_search_without_a_filter_finds_the_same_as_before_and_is_marked(
    site: Site, caller: Caller, stranger: Caller
) -> None:
    before = {mode: caller.pages(query="moon tides", mode=mode) for mode in MODES}
    best = before["hybrid"][0]["results"][0]
    with without_postgresql(site):
        for mode in MODES:
            pages = caller.pages(query="moon tides", mode=mode)
            assert items(*pages) == items(*before[mode])
            assert all(is_marked(page, mode) for page in pages)
            assert len(caller.find(query="moon", mode=mode, kinds=["document"])["results"]) >= 2
            foreign = stranger.find(query="moon tides", mode=mode)
            assert (foreign["results"], is_marked(foreign, mode)) == ([], True)
        nothing = caller.find(query="zeppelin", mode="text")
        assert (nothing["results"], is_marked(nothing, "text")) == ([], True)
        shown = caller.find(query="moon tides")["results"][0]
        for field in ("item_id", "kind", "title", "score", "chunk", "highlights"):
            assert shown[field] == best[field]
        assert shown["title"] == "Almanac"


FILTERS: list[dict[str, Any]] = [
    {"tags": ["sea"]},
    {"source": "almanac"},
    {"metadata": {"year": 1901}},
    {"created_after": "2020-01-01T00:00:00Z"},
    {"created_before": "2120-01-01T00:00:00Z"},
]


def test_a_filter_is_refused_and_never_left_out(site: Site, caller: Caller) -> None:
    with without_postgresql(site):
        for conditions in FILTERS:
            for mode in MODES:
                answer = caller.search(query="moon", mode=mode, filter=conditions)
                assert refused_for_now(answer, "filter_unavailable")
                assert "filter" in answer.json()["detail"]
        with without_lancedb(site):
            assert caller.search(query="moon", filter=FILTERS[0]).status_code == 503


def test_without_both_stores_no_search_is_answered(site: Site, caller: Caller) -> None:
    cursor = caller.find(query="tides", limit=1)["next_cursor"]
    with without_postgresql(site), without_lancedb(site):
        for mode in MODES:
            assert refused_for_now(caller.search(query="moon", mode=mode))
        assert refused_for_now(caller.search(query="tides", limit=1, cursor=cursor))
        health = eventually(lambda: unhealthy(site), site.story)
        assert set(health["database"].values()) == {"unhealthy"}
        for probe in ("/healthz", "/readyz"):
            answer = caller.http.get(probe)
            assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert caller.http.get("/livez").status_code == 200


def unhealthy(site: Site) -> dict[str, Any]:
    health = site.deployment.health()
    return health if health["status"] == "unhealthy" else {}


def test_only_a_valid_token_searches_and_an_ended_session_counts_until_it_expires(
    site: Site, caller: Caller
) -> None:
    token = caller.tokens["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = jwt.encode(claims, "another key, which is as long as it must be", algorithm="HS256")
    refused = {
        None: "unauthenticated",
        token[:-4] + "AAAA": "invalid_token",
        forged: "invalid_token",
        jwt.encode(
            {**claims, "exp": claims["iat"]}, SETTINGS["ATOM_SIGNING_KEY"], algorithm="HS256"
        ): "token_expired",
    }
    assert caller.http.post("/v1/auth/logout").status_code == 204
    assert caller.search(query="moon").json()["code"] == "session_ended"
    with without_postgresql(site):
        assert is_marked(caller.find(query="moon"))
        for other, code in refused.items():
            headers = {"Authorization": f"Bearer {other}"} if other else {}
            url = f"{site.deployment.url}/v1/search"
            answer = httpx.get(url, params={"q": "moon"}, headers=headers, timeout=30)
            assert (answer.status_code, answer.json()["code"]) == (401, code)
    site.deployment.wait_until_healthy()
    assert caller.search(query="moon").json()["code"] == "session_ended"


def test_an_api_key_is_not_believed_meanwhile_and_not_called_wrong_either(
    site: Site, caller: Caller
) -> None:
    given = {"name": "key", "scopes": ["search"]}
    used, unused = (caller.http.post("/v1/api-keys", json=given).json()["key"] for _ in range(2))
    url = f"{site.deployment.url}/v1/search?q=moon"

    def ask(key: str) -> httpx.Response:
        return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    assert ask(used).status_code == 200
    with without_postgresql(site):
        for key in (used, unused):
            assert refused_for_now(ask(key))
        damaged = ask(unused[:-1])
        assert (damaged.status_code, damaged.json()["code"]) == (401, "damaged_api_key")
    site.deployment.wait_until_healthy()
    assert ask(unused).status_code == 200


def test_everything_else_is_refused_for_now(site: Site, caller: Caller) -> None:
    (document, *_) = items(caller.find(query="mountains"))
    place, session = f"/v1/documents/{document}", {"email": caller.email, "password": "wrong horse"}
    note = {"title": "Note", "text": "Not now."}
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/v1/documents", note),
        ("PUT", "/v1/documents/by-external-id/x", note),
        ("PATCH", place, {"title": "Other"}),
        ("DELETE", place, None),
        ("GET", "/v1/documents", None),
        ("GET", place, None),
        ("GET", f"{place}/text", None),
        ("GET", f"{place}/chunks", None),
        ("GET", "/v1/documents/by-external-id/x", None),
        ("GET", "/v1/users/me", None),
        ("PATCH", "/v1/users/me", {"display_name": "Ada"}),
        ("POST", "/v1/auth/login", session),
        ("POST", "/v1/auth/register", session | {"email": "new@example.org"}),
        ("POST", "/v1/auth/refresh", {"refresh_token": caller.tokens["refresh_token"]}),
        ("POST", "/v1/auth/logout", None),
    ]
    with without_postgresql(site):
        for method, path, body in requests:
            answer = caller.http.request(method, path, json=body)
            assert refused_for_now(answer), (method, path, answer.text)
        lines = caller.http.post(
            "/v1/documents/batch",
            content=b'{"title": "Note", "text": "Not now."}\n' * 2,
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert [one["status"] for one in map(httpx.Response.json, split(lines))] == [503, 503]
        assert caller.metric("atom_index_readable") == 0
        assert caller.metric('atom_breaker_open{store="postgresql"}') == 1
    site.deployment.wait_until_healthy()
    assert len(caller.http.get("/v1/documents").json()["items"]) == 3
    assert caller.http.get(place).json()["title"] == "Note"
    assert caller.metric('atom_breaker_open{store="postgresql"}') == 0


def split(lines: httpx.Response) -> list[httpx.Response]:
    return [httpx.Response(200, content=line) for line in lines.content.splitlines()]


def test_searches_are_counted_as_degraded(site: Site, caller: Caller) -> None:
    name = 'atom_search_degraded_total{reason="postgresql"}'
    before = caller.metric(name)
    with without_postgresql(site):
        for _ in range(4):
            caller.find(query="tides")
        assert caller.metric(name) == before + 4


@pytest.mark.parametrize("effect", ["stall", "deafen"])
def test_while_it_hangs_a_crowd_is_answered_and_no_thread_is_lost(
    site: Site, caller: Caller, effect: str
) -> None:
    http = httpx.Client(base_url=site.deployment.url, timeout=30, headers=caller.http.headers)
    ask: list[Callable[[], httpx.Response]] = [
        lambda: http.get("/v1/search", params={"q": "moon tides"}),
        lambda: http.post("/v1/documents", json={"title": "Note", "text": "Not now."}),
        lambda: http.get("/livez"),
    ]
    with http, ThreadPoolExecutor(CROWD) as crowd:
        with without_postgresql(site, effect):
            for _ in range(3):
                asked = [crowd.submit(ask[place % 3]) for place in range(CROWD)]
                found, written, alive = ([one.result() for one in asked[n::3]] for n in range(3))
                assert all(refused_for_now(one) for one in written)
                assert {one.status_code for one in alive} == {200}
                assert all(is_marked(one.json()) and one.json()["results"] for one in found)
        eventually(lambda: caller.find(query="tides")["degraded"] == [], site.story)
    assert len(caller.http.get("/v1/documents").json()["items"]) == 3
