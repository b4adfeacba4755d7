"""Events over HTTP: times on the wall, series, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.http.conftest import Account

BERLIN = {"time_zone": "Europe/Berlin"}
TEA = {"title": "Tea", "starts_at": "2026-03-28T09:00:00", "ends_at": "2026-03-28T10:00:00"}
DAILY = TEA | BERLIN | {"recurrence": "FREQ=DAILY"}


def an_event(account: Account, **fields: Any) -> Any:
    answer = account.post("/v1/events", json=TEA | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


@pytest.mark.parametrize(
    ("fields", "starts_at", "ends_at"),
    [
        (BERLIN, "2026-03-28T09:00:00.000000+01:00", "2026-03-28T10:00:00.000000+01:00"),
        ({}, "2026-03-28T09:00:00.000000+00:00", "2026-03-28T10:00:00.000000+00:00"),
        (
            BERLIN | {"starts_at": "2026-03-28T23:00:00-08:00", "ends_at": "2026-03-29T08:00:00Z"},
            "2026-03-29T09:00:00.000000+02:00",
            "2026-03-29T10:00:00.000000+02:00",
        ),
        # Clocks go from 02:00 to 03:00 in that night: 02:30 is never shown.
        (
            BERLIN | {"starts_at": "2026-03-29T02:30:00", "ends_at": "2026-03-29T03:30:00"},
            "2026-03-29T03:30:00.000000+02:00",
            "2026-03-29T03:30:00.000000+02:00",
        ),
        (
            BERLIN | {"all_day": True, "starts_at": "2026-03-29", "ends_at": "2026-03-30"},
            "2026-03-29T00:00:00.000000+01:00",
            "2026-03-30T00:00:00.000000+02:00",
        ),
    ],
)
def test_times_on_the_wall_are_answered_with_the_offset_of_their_zone(
    account: Account, fields: dict[str, Any], starts_at: str, ends_at: str
) -> None:
    made = an_event(account, **fields)
    assert (made["starts_at"], made["ends_at"]) == (starts_at, ends_at)
    assert account.get(f"/v1/events/{made['id']}").json == made
    same = {name: made[name] for name in ("starts_at", "ends_at", "time_zone")}
    patched = account.patch(f"/v1/events/{made['id']}", json=same)
    assert (patched.status_code, patched.json["revision"]) == (200, 1)


def test_a_series_is_kept_with_all_that_differs_from_it(account: Account) -> None:
    person = {"address": "ada@example.org", "name": "Ada", "role": "chair"}
    made = an_event(
        account,
        **DAILY | {"recurrence": " rrule:freq=daily;byday=mo,tu,we,th,fr,sa,su; "},
        exceptions=["2026-03-29T09:00:00"],
        added=["2026-03-30T20:00:00"],
        overrides=[
            {
                "original_start": "2026-03-30T09:00:00",
                "starts_at": "2026-03-30T11:00:00",
                "ends_at": "2026-03-30T12:00:00",
                "title": "",
                "attendees": [person],
            },
            {"original_start": "2026-03-31T07:00:00Z", "cancelled": True},
        ],
        attendees=[{"address": "grace@example.org"}],
    )
    assert made["recurrence"] == "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU"
    assert made["exceptions"] == ["2026-03-29T09:00:00.000000+02:00"]
    assert made["added"] == ["2026-03-30T20:00:00.000000+02:00"]
    moved, cancelled = made["overrides"]
    assert moved["original_start"] == "2026-03-30T09:00:00.000000+02:00"
    assert moved["starts_at"] == "2026-03-30T11:00:00.000000+02:00"
    assert (moved["title"], moved["location"], moved["cancelled"]) == ("", None, False)
    assert moved["attendees"] == [person | {"participation": "needs_action"}]
    assert cancelled["original_start"] == "2026-03-31T09:00:00.000000+02:00"
    assert (cancelled["cancelled"], cancelled["starts_at"]) == (True, None)
    assert (made["series"], made["attendees"][0]["name"]) == (True, None)
    assert account.get(f"/v1/events/{made['id']}").json == made
    single: dict[str, Any] = {"recurrence": None, "exceptions": None, "added": [], "overrides": []}
    changed = account.patch(f"/v1/events/{made['id']}", json=single)
    assert (changed.status_code, changed.json["series"]) == (200, False)


FAR = {"starts_at": "0001-01-01T00:00:00", "time_zone": "Asia/Tokyo"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"time_zone": "Mars/Olympus"}, "/time_zone"),
    ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ({"time_zone": "localtime"}, "/time_zone"),
    ({"time_zone": "\x00"}, "/time_zone"),
    ({"starts_at": "2026-02-30T09:00:00"}, "/starts_at"),
    ({"starts_at": 1_700_000_000}, "/starts_at"),
    ({"starts_at": None}, "/starts_at"),
    (FAR, "/starts_at"),
    ({"ends_at": "9999-12-31T23:59:59-08:00"}, "/ends_at"),
    ({"ends_at": "9999-12-31T23:59:59", "time_zone": "America/New_York"}, "/ends_at"),
    ({"ends_at": "2600-01-01T00:00:00Z"}, "/ends_at"),
    ({"ends_at": "2026-03-28T08:59:59"}, "/ends_at"),
    ({"all_day": True}, "/starts_at"),
    ({"all_day": 10**30}, "/all_day"),
    ({"recurrence": "every monday"}, "/recurrence"),
    ({"recurrence": "FREQ=SECONDLY"}, "/recurrence"),
    ({"recurrence": "FREQ=DAILY;COUNT=" + "9" * 400}, "/recurrence"),
    ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "/recurrence"),
    ({"recurrence": "FREQ=DAILY;UNTIL=20200101T000000Z"}, "/recurrence"),
    ({"recurrence": "FREQ=DAILY\r\nDTSTART:20260101T000000Z"}, "/recurrence"),
    ({"exceptions": ["2026-03-28T09:00:00"] * 5_001}, "/exceptions"),
    ({"exceptions": ["0001-01-01T00:00:00"], "time_zone": "Asia/Tokyo"}, "/exceptions/0"),
    ({"overrides": [{"original_start": "2026-03-30T09:00:00"}]}, "/overrides/0/original_start"),
    ({"overrides": [{"title": "No start"}]}, "/overrides/0/original_start"),
    (
        {"overrides": [{"original_start": TEA["starts_at"], "starts_at": TEA["starts_at"]}]},
        "/overrides/0/ends_at",
    ),
    (
        {"overrides": [{"original_start": TEA["starts_at"]}] * 2},
        "/overrides/1/original_start",
    ),
    ({"attendees": [{"address": "a@example.org\r\nSUMMARY:x"}]}, "/attendees/0/address"),
    ({"attendees": [{"address": "a@example.org", "role": "king"}]}, "/attendees/0/role"),
    ({"attendees": [{"address": "a@example.org"}] * 1_001}, "/attendees"),
    ({"attendees": {"address": "a@example.org"}}, "/attendees"),
    ({"title": "x" * 1_001}, "/title"),
    ({"series": True}, "/series"),
    ({"calendar": " "}, "/calendar"),
]


@pytest.mark.parametrize(("fields", "pointer"), REFUSED)
def test_what_is_no_event_is_refused_where_it_is_wrong(
    account: Account, fields: dict[str, Any], pointer: str
) -> None:
    answer = account.post("/v1/events", json=TEA | fields)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert answer.json["errors"][0]["detail"]
    assert account.get("/v1/events").json["items"] == []


def test_a_change_is_checked_with_all_that_it_leaves_alone(account: Account) -> None:
    made = an_event(account, **DAILY, exceptions=["2026-03-29T09:00:00"])
    address = f"/v1/events/{made['id']}"
    for patch, pointer in (
        ({"ends_at": "2026-03-28T08:00:00+01:00"}, "/ends_at"),
        ({"all_day": True}, "/starts_at"),
        ({"overrides": [{"original_start": "2026-03-29T09:00:00"}]}, "/overrides/0/original_start"),
    ):
        answer = account.patch(address, json=patch)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert account.get(address).json == made
    # The instants stay; in another zone they are other times of the day.
    moved = account.patch(address, json={"time_zone": "America/New_York"})
    assert moved.json["starts_at"] == "2026-03-28T04:00:00.000000-04:00"


def test_an_event_that_says_nothing_can_be_kept(account: Account) -> None:
    made = an_event(account, title="")
    assert (made["title"], made["description"], made["location"]) == ("", "", "")


@pytest.mark.parametrize(
    "query",
    [
        {"calendar": "Work"},
        {"status": "tentative"},
        {"series": "true"},
        {"uid": "one@example.org"},
        {"text": "gardener"},
        {"starts_after": "2026-04-01T00:00:00Z"},
        {"starts_after": "2026-04-01T00:00:00+02:00"},
    ],
)
def test_a_condition_chooses_the_events_that_satisfy_it(
    account: Account, query: dict[str, str]
) -> None:
    an_event(account, calendar="Home", starts_at="2026-03-01", ends_at="2026-03-02")
    wanted = an_event(
        account,
        calendar="Work",
        status="tentative",
        uid="one@example.org",
        description="With the gardener",
        starts_at="2026-04-01",
        ends_at="2026-04-02",
        recurrence="FREQ=YEARLY",
    )
    found = account.get("/v1/events", query_string=query).json["items"]
    assert [one["id"] for one in found] == [wanted["id"]]


def test_a_search_finds_what_takes_place_in_a_time_also_when_it_began_before(
    account: Account, index: Callable[[], None]
) -> None:
    person = {"address": "grace@example.org", "name": "Grace Hopperton"}
    an_event(account, title="Past", location="Pier", ends_at="2026-03-30T09:00:00")
    an_event(account, title="Weekly", recurrence="FREQ=WEEKLY", description="Meet at the pier")
    an_event(account, title="Twice", recurrence="FREQ=WEEKLY;COUNT=2", location="Pier")
    an_event(account, title="Later", starts_at="2028-01-01", ends_at="2028-01-02", location="pier")
    an_event(account, title="Stop", ends_at=TEA["starts_at"], attendees=[person])
    index()

    def found(query: str, **conditions: str) -> set[str]:
        question = {"query": query, "mode": "text", "filter": conditions, "kinds": ["event"]}
        answer = account.post("/v1/search", json=question)
        assert (answer.status_code, answer.json["degraded"]) == (200, []), answer.text
        for one in answer.json["results"]:
            assert one["event"] == account.get(f"/v1/events/{one['item_id']}").json
        return {one["title"] for one in answer.json["results"]}

    assert found("pier") == {"Past", "Weekly", "Twice", "Later"}
    assert (
        found("Hopperton") == found("hopperton", happens_after="2026-03-28T09:00:00Z") == {"Stop"}
    )
    for after, before, expected in (
        ("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", {"Past", "Weekly", "Twice"}),
        ("2026-03-30T09:00:00Z", "2026-04-01T00:00:00Z", {"Weekly", "Twice"}),
        ("2027-06-01T00:00:00Z", "2027-06-08T00:00:00Z", {"Weekly"}),
        ("2027-06-01T00:00:00Z", "2028-01-02T00:00:00Z", {"Weekly", "Later"}),
        ("2026-01-01T00:00:00Z", "2026-03-28T09:00:00Z", set()),
    ):
        assert found("pier", happens_after=after, happens_before=before) == expected
