"""What takes place when, over HTTP: series unrolled, and the time that they keep busy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.agenda import BERLIN, MARCH, an_event, page
from tests.integration.http.conftest import Account


def starts(account: Account, **query: Any) -> list[tuple[str, str]]:
    return [(one["title"], one["starts_at"][:16]) for one in page(account, **query)["items"]]


def test_a_series_is_unrolled_by_the_clocks_of_its_zone(account: Account) -> None:
    made = an_event(
        account,
        *("Tea", "2026-03-27T09:00:00", "2026-03-27T10:00:00"),
        **BERLIN,
        recurrence="FREQ=DAILY;COUNT=6",
        exceptions=["2026-03-28T09:00:00"],
        added=["2026-03-30T20:00:00"],
        overrides=[
            {"original_start": "2026-03-31T09:00:00", "cancelled": True},
            {
                "original_start": "2026-03-30T09:00:00",
                "starts_at": "2026-03-26T12:00:00",
                "ends_at": "2026-03-26T12:30:00",
                "title": "Early tea",
            },
        ],
    )
    found = page(account, **MARCH)["items"]
    assert [(one["title"], one["starts_at"], one["original_start"]) for one in found] == [
        (
            title,
            f"2026-03-{start}:00.000000+0{offset}:00",
            f"2026-03-{original}:00.000000+0{zone}:00",
        )
        for title, start, offset, original, zone in (
            ("Early tea", "26T12:00", 1, "30T09:00", 2),
            ("Tea", "27T09:00", 1, "27T09:00", 1),
            ("Tea", "29T09:00", 2, "29T09:00", 2),
            ("Tea", "30T20:00", 2, "30T20:00", 2),
        )
    ]
    assert {one["id"] for one in found} == {made["id"]}
    assert found[0]["ends_at"] == "2026-03-26T12:30:00.000000+01:00"
    assert "overrides" not in found[0]
    assert found[0]["recurrence"] == "FREQ=DAILY;COUNT=6"
    assert [one["id"] for one in page(account)["items"]] == [made["id"]]


def test_single_events_and_series_stand_in_one_order_over_all_pages(account: Account) -> None:
    an_event(account, "before", "2026-02-28T09:00:00", "2026-02-28T10:00:00")
    an_event(account, "into", "2026-02-01T09:00:00", "2026-03-02T10:00:00")
    an_event(account, "until", "2026-02-01T09:00:00", "2026-03-01T00:00:00")
    an_event(account, "moment", "2026-03-01T00:00:00", "2026-03-01T00:00:00")
    an_event(account, "after", "2026-04-01T00:00:00", "2026-04-01T01:00:00")
    for day in (5, 12, 12, 20):
        an_event(account, "single", f"2026-03-{day:02}T09:00:00", f"2026-03-{day:02}T10:00:00")
    an_event(
        account,
        *("weekly", "2016-03-03T09:00:00", "2016-03-03T10:00:00"),
        recurrence="FREQ=WEEKLY",
    )
    ended = "FREQ=DAILY;UNTIL=20260228T235959Z"
    an_event(account, "ended", "2020-01-01T09:00:00", "2020-01-01T10:00:00", recurrence=ended)
    expected = [
        ("into", "2026-02-01T09:00"),
        ("moment", "2026-03-01T00:00"),
        *sorted(
            [("single", f"2026-03-{day:02}T09:00") for day in (5, 12, 12, 20)]
            + [("weekly", f"2026-03-{day:02}T09:00") for day in (5, 12, 19, 26)],
            key=lambda one: one[1],
        ),
    ]
    whole = starts(account, **MARCH)
    assert sorted(whole) == sorted(expected)
    assert [start for _, start in whole] == [start for _, start in expected]
    seen: list[tuple[str, str]] = []
    answer = account.get("/v1/events", query_string=MARCH | {"limit": 1})
    while True:
        seen += [(one["title"], one["starts_at"][:16]) for one in answer.json["items"]]
        if "Link" not in answer.headers:
            break
        answer = account.get(answer.headers["Link"].split(">")[0][1:])
    assert seen == whole
    coming = starts(account, **{"from": MARCH["to"], "limit": 3})
    assert coming == [
        ("after", "2026-04-01T00:00"),
        ("weekly", "2026-04-02T09:00"),
        ("weekly", "2026-04-09T09:00"),
    ]
    assert starts(account, to="2016-03-10T00:00:00Z") == [("weekly", "2016-03-03T09:00")]


def test_conditions_choose_instances_too(account: Account, stranger: Account) -> None:
    day = ("2026-03-02T09:00:00", "2026-03-02T10:00:00")
    an_event(account, "plain", *day, calendar="Home", tags=["a"])
    an_event(
        account,
        *("series", *day),
        calendar="Work",
        description="With the gardener",
        recurrence="FREQ=DAILY;COUNT=3",
        overrides=[{"original_start": "2026-03-03T09:00:00", "status": "tentative"}],
    )
    for query, expected in (
        ({"calendar": "Work"}, 3),
        ({"calendar": "Work", "status": "confirmed"}, 2),
        ({"status": "tentative"}, 1),
        ({"status": "cancelled"}, 0),
        ({"tag": "a"}, 1),
        ({"text": "gardener"}, 3),
        ({"series": "false"}, 1),
        ({}, 4),
    ):
        assert len(page(account, **MARCH, **query)["items"]) == expected, query
    assert page(stranger, **MARCH)["items"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-03-01"}, 422),
        ({"from": "2026-03-01T00:00:00"}, 422),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, 200),
        ({"from": "0001-01-01T00:00:00+23:59"}, 422),
        ({"to": "9999-12-31T23:59:59-01:00"}, 422),
        ({"from": "2700-01-01T00:00:00Z"}, 200),
        ({"from": MARCH["to"], "to": MARCH["from"]}, 422),
        ({"from": MARCH["to"], "to": MARCH["to"]}, 422),
        (MARCH | {"sort": "title"}, 422),
        (MARCH | {"sort": "starts_at"}, 200),
        (MARCH | {"cursor": "A" * 22}, 400),
        (MARCH | {"status": "never"}, 422),
    ],
)
def test_a_window_is_read_strictly(account: Account, query: dict[str, str], status: int) -> None:
    assert account.get("/v1/events", query_string=query).status_code == status


def test_a_cursor_of_stored_events_does_not_continue_instances(account: Account) -> None:
    for _ in range(3):
        an_event(account, "x", "2026-03-02T09:00:00", "2026-03-02T10:00:00")
    stored = page(account, limit=1, sort="starts_at")["next_cursor"]
    unrolled = page(account, **MARCH, limit=1)["next_cursor"]
    for query in (MARCH | {"cursor": stored}, {"cursor": unrolled}):
        answer = account.get("/v1/events", query_string=query)
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_cursor")


def test_busy_time_is_merged_and_leaves_out_what_takes_none(
    account: Account, stranger: Account
) -> None:
    an_event(account, "a", "2026-03-02T09:00:00", "2026-03-02T10:00:00", calendar="Work")
    an_event(account, "b", "2026-03-02T09:30:00", "2026-03-02T11:00:00", calendar="Home")
    an_event(account, "c", "2026-03-02T11:00:00", "2026-03-02T12:00:00", transparent=True)
    an_event(account, "d", "2026-03-02T12:00:00", "2026-03-02T13:00:00", status="cancelled")
    an_event(account, "e", "2026-02-01T00:00:00", "2026-03-01T01:00:00", calendar="Work")
    an_event(
        account,
        *("f", "2026-03-01T15:00:00", "2026-03-01T16:00:00"),
        recurrence="FREQ=DAILY;COUNT=3",
        transparent=True,
        overrides=[{"original_start": "2026-03-02T15:00:00", "transparent": False}],
    )
    an_event(stranger, "g", "2026-03-02T18:00:00", "2026-03-02T19:00:00")

    def busy(**query: Any) -> list[str]:
        answer = account.get("/v1/events/free-busy", query_string=MARCH | query)
        assert answer.status_code == 200, answer.text
        return [f"{one['start'][8:16]} {one['end'][8:16]}" for one in answer.json["busy"]]

    assert busy() == ["01T00:00 01T01:00", "02T09:00 02T11:00", "02T15:00 02T16:00"]
    assert busy(calendar="Work") == ["01T00:00 01T01:00", "02T09:00 02T10:00"]
    assert busy(calendar=["Work", "Home"]) == ["01T00:00 01T01:00", "02T09:00 02T11:00"]
    assert busy(calendar="None") == []


def test_busy_time_of_too_many_occurrences_is_refused(account: Account) -> None:
    an_event(
        account,
        *("minutely", "2026-03-01T09:00:00", "2026-03-01T09:00:30"),
        recurrence="FREQ=MINUTELY",
    )
    answer = account.get("/v1/events/free-busy", query_string=MARCH)
    assert (answer.status_code, answer.json["code"]) == (422, "too_many_occurrences")
    assert len(page(account, **MARCH, limit=200)["items"]) == 200
    assert account.get("/v1/events/free-busy?from=2026-03-01T00:00:00Z").status_code == 422
