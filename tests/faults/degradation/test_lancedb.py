"""LanceDB is gone or hangs: PostgreSQL answers, says why, and everything else goes on (I1, I6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from tests.faults.degradation.caller import MODES, Caller, items, refused_for_now
from tests.faults.degradation.outages import hanging_lancedb, without_lancedb
from tests.faults.deployment import eventually
from tests.faults.environment.site import Site

CROWD = 24
"""Callers at once: more than the web process has threads."""

FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "tags": {"tags": ["sea"]},
    "source": {"source": "almanac"},
    "metadata": {"metadata": {"year": 1901}},
    "from": {"created_after": "2020-01-01T00:00:00Z"},
    "until": {"created_before": "2020-01-01T00:00:00Z"},
    "all": {"tags": ["sea"], "source": "almanac", "metadata": {"year": 1901}},
}


@pytest.fixture
def caller(site: Site, caller: Caller) -> Caller:
    """With documents that every way of asking tells apart."""
    caller.write("The moon pulls the tides.", tags=["sea"], source="almanac")
    caller.write("Spring tides follow the new moon.", source="almanac", metadata={"year": 1901})
    marks = {"tags": ["sea", "sky"], "source": "almanac", "metadata": {"year": 1901, "page": 2}}
    caller.write("Neap tides follow the half moon.", **marks)
    caller.write("Mountains do not move.", tags=["land"])
    site.wait_until_in_step()
    return caller


@pytest.fixture
def answers_before(caller: Caller) -> dict[str, set[str]]:
    """What each filter leaves of the documents with these words."""
    asked = {name: caller.find(query="moon tides", filter=one) for name, one in FILTERS.items()}
    by_words = {item for item in items(asked["none"]) if item in words_of(caller)}
    return {name: set(items(answer)) & by_words for name, answer in asked.items()}


def words_of(caller: Caller) -> set[str]:
    return set(items(caller.find(query="moon tides", mode="text")))


def test_while_it_is_gone_every_search_finds_what_it_must_and_says_what_was_missing(
    site: Site, caller: Caller, stranger: Caller, answers_before: dict[str, set[str]]
) -> None:
    assert [len(found) for found in answers_before.values()] == [3, 2, 3, 2, 3, 0, 1]
    with without_lancedb(site):
        for mode in MODES:
            for name, conditions in FILTERS.items():
                pages = caller.pages(query="moon tides", mode=mode, filter=conditions)
                assert sorted(items(*pages)) == sorted(answers_before[name]), (mode, name)
                assert all(was_degraded(page) for page in pages), (mode, name)
            nothing = caller.find(query="zeppelin", mode=mode)
            assert (nothing["results"], was_degraded(nothing)) == ([], True)
            foreign = stranger.find(query="moon tides", mode=mode)
            assert (foreign["results"], was_degraded(foreign)) == ([], True)


def was_degraded(answer: dict[str, Any]) -> bool:
    by_postgresql = answer["legs"] == ["postgresql"] and answer["degraded"] == ["lancedb"]
    return by_postgresql and all(result["enriched"] for result in answer["results"])


def test_beyond_the_last_page_it_is_still_said_what_was_missing(site: Site, caller: Caller) -> None:
    first = caller.find(query="tides", mode="text", limit=2)
    with without_lancedb(site):
        for removed in items(first):
            caller.http.delete(f"/v1/documents/{removed}")
        beyond = caller.find(query="tides", mode="text", limit=2, cursor=first["next_cursor"])
        assert (beyond["results"], beyond["next_cursor"]) == ([], None)
        assert was_degraded(beyond)


def test_writes_go_on_and_are_found_at_once_by_words_and_later_by_meaning(
    site: Site, caller: Caller
) -> None:
    with without_lancedb(site):
        new = caller.write("A lighthouse guides the ships.")
        assert items(caller.find(query="lighthouse", mode="vector")) == [new]
        caller.http.patch(f"/v1/documents/{new}", json={"text": "A beacon guides the ships."})
        assert items(caller.find(query="lighthouse")) == []
        caller.http.delete(f"/v1/documents/{items(caller.find(query='mountains'))[0]}")
        assert items(caller.find(query="mountains")) == []
        state = caller.http.get(f"/v1/documents/{new}").json()["index_state"]
        chunks = caller.http.get(f"/v1/documents/{new}/chunks")
        assert state == "pending"
        assert refused_for_now(chunks, "lancedb_unavailable")
    site.deployment.wait_until_healthy()
    site.wait_until_in_step()
    found = caller.find(query="what shows the way to sailors at night", mode="vector", limit=1)
    assert (items(found), found["degraded"]) == ([new], [])


def test_health_and_metrics_say_so_and_turn_back(site: Site, caller: Caller) -> None:
    def degraded_searches() -> float:
        return caller.metric('atom_search_degraded_total{reason="lancedb"}')

    def breaker() -> float:
        return caller.metric('atom_breaker_open{store="lancedb"}')

    before = degraded_searches()
    caller.find(query="tides")
    assert (degraded_searches(), breaker()) == (before, 0)
    with without_lancedb(site):
        for _ in range(10):
            caller.find(query="tides")
        assert (degraded_searches(), breaker()) == (before + 10, 1)
        health = eventually(lambda: unwell(site), site.story)
        assert health["status"] == "degraded"
        assert health["database"] == {"postgresql": "healthy", "lancedb": "unhealthy"}
        assert caller.http.get("/readyz").json() == {"ready": True}
    site.deployment.wait_until_healthy()
    assert breaker() == 0
    assert caller.find(query="tides")["degraded"] == []
    assert degraded_searches() == before + 10


def unwell(site: Site) -> dict[str, Any]:
    health = site.deployment.health()
    return health if health["database"]["lancedb"] == "unhealthy" else {}


def test_while_it_hangs_a_crowd_is_answered_and_no_thread_is_lost(
    site: Site, caller: Caller
) -> None:
    http = httpx.Client(base_url=site.deployment.url, timeout=30, headers=caller.http.headers)
    ask: list[Callable[[], httpx.Response]] = [
        lambda: http.get("/v1/search", params={"q": "moon tides"}),
        lambda: http.post("/v1/documents", json={"title": "Note", "text": "Written meanwhile."}),
        lambda: http.get("/livez"),
    ]
    with http, ThreadPoolExecutor(CROWD) as crowd:
        with hanging_lancedb(site):
            for _ in range(3):
                asked = [crowd.submit(ask[place % 3]) for place in range(CROWD)]
                found, written, alive = ([one.result() for one in asked[n::3]] for n in range(3))
                assert {one.status_code for one in written} == {201}
                assert {one.status_code for one in alive} == {200}
                assert all(was_degraded(one.json()) and one.json()["results"] for one in found)
            assert unwell(site)
        eventually(lambda: caller.find(query="tides")["degraded"] == [], site.story)


Outage = Callable[[Site], AbstractContextManager[None]]


@pytest.mark.parametrize("outage", [without_lancedb, hanging_lancedb])
def test_clients_that_wait_for_their_index_do_not_keep_the_others_out(
    site: Site, caller: Caller, outage: Outage
) -> None:
    def write_and_wait(number: int) -> httpx.Response:
        body = {"title": "Note", "text": f"Number {number} waits."}
        return http.post("/v1/documents", json=body, headers={"Prefer": "wait=60"})

    http = httpx.Client(base_url=site.deployment.url, timeout=90, headers=caller.http.headers)
    with http, ThreadPoolExecutor(CROWD) as crowd:
        with outage(site):
            waiting = [crowd.submit(write_and_wait, number) for number in range(CROWD)]
            eventually(lambda: sum(one.done() for one in waiting) >= CROWD - 8, site.story)
            assert was_degraded(caller.find(query="moon tides"))
            assert caller.http.get("/livez").status_code == 200
        answers = [one.result() for one in waiting]
    assert {one.status_code for one in answers} == {201}
    assert {one.json()["index_state"] for one in answers} == {"pending", "indexed"}


@pytest.fixture(autouse=True)
def by_words_again(site: Site, caller: Caller) -> Iterator[None]:
    """However a test ends, a search runs on both legs after it, without anything restarted."""
    yield
    found = eventually(lambda: undegraded(caller.find(query="tides")), site.story)
    assert found["legs"] == ["vector", "text"]


def undegraded(found: dict[str, Any]) -> dict[str, Any] | None:
    return None if found["degraded"] else found
