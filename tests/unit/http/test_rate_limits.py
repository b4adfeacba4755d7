"""How often somebody may ask, and what they are told of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from atom_backend.http.exposure import Exposure
from atom_backend.http.rate_limits import WINDOW, Buckets, RateLimits
from tests.unit.http.tiny import GOOD, client

CALLER = {"REMOTE_ADDR": "192.0.2.1"}
OTHER = {"REMOTE_ADDR": "192.0.2.2"}


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def limited(user: int = 0, address: int = 0) -> Any:
    return client(Exposure(rates=RateLimits(user=user, address=address)))


def ask(tiny: Any, where: dict[str, str], path: str = "/open", **given: Any) -> Any:
    return tiny.get(path, environ_base=where, **given)


def test_a_bucket_holds_a_minute_and_fills_up_again_evenly(watch: Watch) -> None:
    buckets = Buckets("user", 60, monotonic=watch)
    left = [buckets.take("a").remaining for _ in range(60)]
    assert left == list(range(59, -1, -1))
    refused = buckets.take("a")
    assert (refused.remaining, refused.full_after, refused.retry_after) == (0, 60.0, 1.0)
    assert buckets.take("a").retry_after == 1.0, "being refused costs nothing"
    assert buckets.take("b").remaining == 59
    watch.now += 0.5
    assert buckets.take("a").retry_after == 0.5
    watch.now += 0.5
    assert buckets.take("a").retry_after == 0.0
    assert buckets.take("a").retry_after == 1.0
    watch.now += WINDOW
    assert buckets.take("a").remaining == 59


@pytest.mark.parametrize("quota", [1, 7, 601, 6000, 100_000])
def test_no_quota_is_off_by_one(quota: int, watch: Watch) -> None:
    buckets = Buckets("user", quota, monotonic=watch)
    first = buckets.take("a")
    assert (first.remaining, first.retry_after) == (quota - 1, 0.0)
    let_through = 1 + sum(not buckets.take("a").retry_after for _ in range(quota + 2))
    assert let_through == quota


def test_threads_do_not_get_more_than_there_is(watch: Watch) -> None:
    buckets = Buckets("user", 500, monotonic=watch)
    with ThreadPoolExecutor(8) as pool:
        standings = list(pool.map(lambda _: buckets.take("a"), range(1000)))
    assert sum(not one.retry_after for one in standings) == 500


def test_millions_of_callers_need_no_more_memory_than_a_few(watch: Watch) -> None:
    buckets = Buckets("address", 2, most=100, monotonic=watch)
    for number in range(1000):
        buckets.take(number)
    assert len(buckets) == 100
    for begin in (1000, 2000):
        buckets.take("busy")
        for number in range(begin, begin + 60):
            buckets.take(number)
    assert buckets.take("busy").retry_after > 0, "the one who asked last is forgotten last"


def test_a_stranger_is_limited_by_address_on_every_route() -> None:
    tiny = limited(address=5)
    for path, status in [
        ("/open", 200),
        ("/things", 401),
        ("/nowhere", 404),
        ("/docs", 200),
        ("/openapi.json", 200),
    ]:
        assert ask(tiny, CALLER, path).status_code == status
    for path in ("/open", "/things", "/nowhere", "/docs"):
        answer = ask(tiny, CALLER, path)
        assert (answer.status_code, answer.json["code"]) == (429, "rate_limited")
        assert answer.headers["Retry-After"] == "12"
        assert answer.headers["RateLimit-Policy"] == '"address";q=5;w=60'
        assert answer.headers["RateLimit"] == '"address";r=0;t=60'
    assert ask(tiny, OTHER).status_code == 200
    assert ask(tiny, CALLER, "/things", headers=GOOD).status_code == 200


def test_a_user_is_limited_wherever_the_requests_come_from() -> None:
    tiny = limited(user=2, address=1)
    answers = [ask(tiny, where, "/things", headers=GOOD) for where in (CALLER, OTHER, CALLER)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit"] == '"user";r=1;t=30'
    assert answers[0].headers["RateLimit-Policy"] == '"user";q=2;w=60'
    assert ask(tiny, CALLER).status_code == 200, "strangers have buckets of their own"


def test_a_token_that_is_not_valid_makes_a_stranger() -> None:
    tiny = limited(user=1000, address=2)
    bad = {"Authorization": "Bearer bad-token"}
    answers = [ask(tiny, CALLER, "/things", headers=bad) for _ in range(3)]
    assert [one.status_code for one in answers] == [401, 401, 429]


@pytest.mark.parametrize("where", ["127.0.0.1", "::1"])
def test_callers_on_this_machine_are_not_limited(where: str) -> None:
    tiny = limited(user=1, address=1)
    for _ in range(3):
        answers = [
            ask(tiny, {"REMOTE_ADDR": where}),
            ask(tiny, {"REMOTE_ADDR": where}, "/things", headers=GOOD),
        ]
        assert [one.status_code for one in answers] == [200, 200]
        assert not [one for one in answers if "RateLimit" in one.headers]


def test_nobody_is_limited_where_no_limit_is_set() -> None:
    tiny = limited()
    answers = [ask(tiny, CALLER) for _ in range(3)]
    assert [(one.status_code, "RateLimit" in one.headers) for one in answers] == [(200, False)] * 3


def test_a_preflight_request_is_not_counted() -> None:
    tiny = limited(address=1)
    headers = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    for _ in range(3):
        assert tiny.options("/open", headers=headers, environ_base=CALLER).status_code == 204
    assert ask(tiny, CALLER).status_code == 200
