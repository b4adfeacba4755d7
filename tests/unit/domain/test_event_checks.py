"""An event is told everything that is wrong with it, and what passes is safe to keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.event_checks import (
    DESCRIPTION_CHARS,
    MOST_ATTENDEES,
    MOST_DATES,
    MOST_OVERRIDES,
    problems,
)
from atom_backend.domain.calendar.events import Attendee, Event, EventStatus, Override
from atom_backend.domain.limits import NAME_CHARS, TITLE_CHARS
from tests.unit.domain.calendars import at, events, timed, whole_days

START = at("2026-01-05T09:00")
PLAIN = timed("2026-01-05T09:00", "2026-01-05T10:00")
WEEKLY = replace(PLAIN, recurrence="FREQ=WEEKLY")


@settings(deadline=None)
@given(events())
def test_events_that_people_make_pass(event: Event) -> None:
    assert problems(event) == ()


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"ends_at": START - timedelta(seconds=1)}, ["/ends_at"]),
        ({"starts_at": datetime(2026, 1, 5)}, ["/starts_at"]),
        ({"starts_at": datetime(1582, 1, 1, tzinfo=UTC)}, ["/starts_at"]),
        ({"ends_at": datetime(2500, 1, 1, tzinfo=UTC)}, ["/ends_at"]),
        ({"time_zone": "Mars/Olympus"}, ["/time_zone"]),
        ({"title": "x" * (TITLE_CHARS + 1)}, ["/title"]),
        ({"title": "a\x00"}, ["/title"]),
        ({"location": "\ud800"}, ["/location"]),
        ({"description": "x" * (DESCRIPTION_CHARS + 1)}, ["/description"]),
        ({"calendar": " "}, ["/calendar"]),
        ({"uid": "x" * (NAME_CHARS + 1)}, ["/uid"]),
        ({"title": "\x00", "location": "\x00"}, ["/title", "/location"]),
        ({"recurrence": "every day"}, ["/recurrence"]),
        ({"recurrence": "FREQ=SECONDLY"}, ["/recurrence"]),
        ({"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, ["/recurrence"]),
        ({"recurrence": "FREQ=DAILY;UNTIL=20260104"}, ["/recurrence"]),
        ({"recurrence": "FREQ=DAILY", "ends_at": START + timedelta(days=400)}, ["/ends_at"]),
        ({"exceptions": (START, datetime(2026, 1, 5))}, ["/exceptions/1"]),
        ({"added": (START,) * (MOST_DATES + 1)}, ["/added"]),
        ({"attendees": (Attendee("a@b"), Attendee(" "))}, ["/attendees/1/address"]),
        ({"attendees": (Attendee("a\nATTENDEE:b"),)}, ["/attendees/0/address"]),
        ({"attendees": (Attendee("a", name="\x00"),)}, ["/attendees/0/name"]),
        ({"attendees": (Attendee("a"),) * (MOST_ATTENDEES + 1)}, ["/attendees"]),
        ({"overrides": (Override(START),) * (MOST_OVERRIDES + 1)}, ["/overrides"]),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(
    changes: dict[str, Any], pointers: list[str]
) -> None:
    event = replace(PLAIN, **changes)
    assert [one.pointer for one in problems(event)] == pointers


@pytest.mark.parametrize(
    ("override", "place"),
    [
        (Override(at("2026-01-06T09:00")), "original_start"),
        (Override(at("2026-01-12T08:00")), "original_start"),
        (Override(datetime(2026, 1, 12, 9)), "original_start"),
        (Override(at("2026-01-12T09:00"), starts_at=START), "ends_at"),
        (
            Override(at("2026-01-12T09:00"), starts_at=START, ends_at=START - timedelta(hours=1)),
            "ends_at",
        ),
        (Override(at("2026-01-12T09:00"), title="\x00"), "title"),
        (Override(at("2026-01-12T09:00"), all_day=True), "all_day"),
        (Override(at("2026-01-12T09:00"), status=EventStatus.CANCELLED), "status"),
        (Override(at("2026-01-12T09:00"), attendees=(Attendee(""),)), "attendees/0/address"),
    ],
)
def test_what_is_wrong_with_an_instance_is_told_where_it_stands(
    override: Override, place: str
) -> None:
    event = replace(WEEKLY, overrides=(Override(at("2026-01-19T09:00")), override))
    assert [one.pointer for one in problems(event)] == [f"/overrides/1/{place}"]


def test_an_instance_differs_once_and_is_not_left_out_as_well() -> None:
    start = at("2026-01-12T09:00")
    twice = replace(WEEKLY, overrides=(Override(start), Override(start, title="Again")))
    assert [one.detail for one in problems(twice)] == ["is given twice"]
    out = replace(WEEKLY, overrides=(Override(start),), exceptions=(start,))
    assert ["left out" in one.detail for one in problems(out)] == [True]


def test_an_instance_may_stand_on_a_date_that_was_added() -> None:
    extra = at("2026-01-14T18:00")
    assert problems(replace(WEEKLY, added=(extra,), overrides=(Override(extra),))) == ()


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"starts_at": START}, ["/starts_at"]),
        ({"ends_at": at("2026-01-06T12:00")}, ["/ends_at"]),
        ({"ends_at": at("2026-01-05")}, ["/ends_at"]),
        ({"time_zone": "Europe/Berlin"}, ["/starts_at", "/ends_at"]),
        ({"added": (at("2026-01-09T01:00"),)}, ["/added/0"]),
        ({"recurrence": "FREQ=HOURLY"}, ["/recurrence"]),
        ({"recurrence": "FREQ=DAILY;BYHOUR=9"}, ["/recurrence"]),
    ],
)
def test_whole_days_begin_and_end_at_midnight_in_their_zone(
    changes: dict[str, Any], pointers: list[str]
) -> None:
    event = replace(whole_days("2026-01-05", "2026-01-06"), **changes)
    assert [one.pointer for one in problems(event)] == pointers


def test_a_day_that_begins_at_one_o_clock_is_a_whole_day() -> None:
    assert problems(whole_days("2018-11-04", "2018-11-05", "America/Sao_Paulo")) == ()


@settings(deadline=None)
@given(st.text(max_size=40), st.datetimes(timezones=st.just(UTC)), st.text(max_size=20))
def test_whatever_is_given_is_judged(rule: str, moment: datetime, place: str) -> None:
    wild = Event(rule, moment, moment, place, recurrence=rule, added=(moment,))
    for event in (wild, replace(wild, time_zone="Asia/Tokyo"), replace(wild, all_day=True)):
        assert isinstance(problems(event), tuple)
