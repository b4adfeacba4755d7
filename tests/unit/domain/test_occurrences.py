"""Occurrences keep the clock on the wall, and busy time is what they really take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.events import Event, Override
from atom_backend.domain.calendar.occurrences import (
    MOST_OCCURRENCES,
    Occurrence,
    occurrences,
    unknown_starts,
)
from tests.unit.domain.calendars import at, events, timed, whole_days

BERLIN = "Europe/Berlin"
ALL = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def shown(event: Event, start: str, end: str, limit: int = 100) -> list[str]:
    """Starts and ends as they are answered, with the offset."""
    found = occurrences(event, at(start), at(end), limit)
    return [f"{one.start.isoformat()}/{one.end.isoformat()}" for one in found]


def starts(event: Event, limit: int = 100) -> list[datetime]:
    return [one.start for one in occurrences(event, *ALL, limit)]


def test_a_series_keeps_the_clock_on_the_wall_across_daylight_saving() -> None:
    event = timed("2026-03-27T09:00", "2026-03-27T10:00", BERLIN, recurrence="FREQ=DAILY;COUNT=4")
    assert shown(event, "2026-03-01", "2026-05-01") == [
        "2026-03-27T09:00:00+01:00/2026-03-27T10:00:00+01:00",
        "2026-03-28T09:00:00+01:00/2026-03-28T10:00:00+01:00",
        "2026-03-29T09:00:00+02:00/2026-03-29T10:00:00+02:00",
        "2026-03-30T09:00:00+02:00/2026-03-30T10:00:00+02:00",
    ]


def test_a_time_that_is_never_shown_happens_an_hour_later_and_one_shown_twice_once() -> None:
    spring = timed("2026-03-28T02:30", "2026-03-28T02:45", BERLIN, recurrence="FREQ=DAILY;COUNT=3")
    assert [one[11:25] for one in shown(spring, "2026-03-01", "2026-05-01")] == [
        *("02:30:00+01:00", "03:30:00+02:00", "02:30:00+02:00"),
    ]
    autumn = timed("2026-10-24T02:30", "2026-10-24T02:45", BERLIN, recurrence="FREQ=DAILY;COUNT=3")
    assert [one[11:25] for one in shown(autumn, "2026-10-01", "2026-11-01")] == [
        *("02:30:00+02:00", "02:30:00+02:00", "02:30:00+01:00"),
    ]


def test_hours_stay_hours_and_days_stay_days_when_clocks_change_within() -> None:
    night = timed("2026-03-27T22:00", "2026-03-28T06:00", BERLIN, recurrence="FREQ=DAILY;COUNT=2")
    assert [one.end - one.start for one in occurrences(night, *ALL, 9)] == [timedelta(hours=8)] * 2
    day = timed("2026-03-28T00:00", "2026-03-29T00:00", BERLIN, recurrence="FREQ=DAILY;COUNT=2")
    lengths = [one.end - one.start for one in occurrences(day, *ALL, 9)]
    assert lengths == [timedelta(hours=24), timedelta(hours=23)]


def test_whole_days_are_days_of_their_zone() -> None:
    event = whole_days("2026-03-28", "2026-03-29", BERLIN, recurrence="FREQ=DAILY;COUNT=3")
    assert shown(event, "2026-03-01", "2026-05-01") == [
        "2026-03-28T00:00:00+01:00/2026-03-29T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00/2026-03-30T00:00:00+02:00",
        "2026-03-30T00:00:00+02:00/2026-03-31T00:00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-01-01T09:00", "2026-01-01T10:00", True),
        ("2026-01-01T08:00", "2026-01-01T09:00", False),
        ("2026-01-01T10:00", "2026-01-01T11:00", False),
        ("2026-01-01T09:59:59", "2026-01-01T11:00", True),
        ("2026-01-01T09:20", "2026-01-01T09:30", True),
        ("2026-01-01T08:00", "2026-01-01T09:00:01", True),
        ("2026-01-01T11:00", "2026-01-01T09:00", False),
    ],
)
def test_an_occurrence_is_found_where_it_shares_time(start: str, end: str, found: bool) -> None:
    event = timed("2026-01-01T09:00", "2026-01-01T10:00")
    assert bool(occurrences(event, at(start), at(end), 9)) is found


def test_an_event_without_length_is_found_where_it_stands() -> None:
    event = timed("2026-01-01T09:00", "2026-01-01T09:00")
    assert occurrences(event, at("2026-01-01T09:00"), at("2026-01-01T09:01"), 9)
    assert not occurrences(event, at("2026-01-01T08:00"), at("2026-01-01T09:00"), 9)


def test_a_long_occurrence_that_began_before_the_window_is_found() -> None:
    event = timed("2026-01-01T09:00", "2026-01-05T10:00", recurrence="FREQ=MONTHLY")
    assert shown(event, "2026-07-05", "2026-07-06") == [
        "2026-07-01T09:00:00+00:00/2026-07-05T10:00:00+00:00"
    ]


def test_exceptions_are_left_out_and_added_dates_are_there_once() -> None:
    event = timed(
        *("2026-03-28T09:00", "2026-03-28T10:00", BERLIN),
        recurrence="FREQ=DAILY;COUNT=3",
        exceptions=(at("2026-03-29T09:00", BERLIN),),
        added=(at("2026-03-30T09:00", BERLIN), at("2026-04-15T18:00", BERLIN)),
    )
    assert starts(event) == [
        at("2026-03-28T09:00", BERLIN),
        at("2026-03-30T09:00", BERLIN),
        at("2026-04-15T18:00", BERLIN),
    ]


@pytest.mark.parametrize(
    ("until", "count"),
    [
        ("20260330T070000Z", 4),  # the instant of the fourth start, which still counts
        ("20260330T065959Z", 3),
        ("20260330", 4),
        ("20260329", 3),
        ("20260330T090000", 4),
        ("20260330T085959", 3),
    ],
)
def test_until_is_the_last_start_in_utc_by_the_day_or_on_the_wall(until: str, count: int) -> None:
    rule = f"FREQ=DAILY;UNTIL={until}"
    event = timed("2026-03-27T09:00", "2026-03-27T10:00", BERLIN, recurrence=rule)
    assert len(starts(event)) == count


def moved(original: str, start: str, end: str) -> Override:
    return Override(at(original), starts_at=at(start), ends_at=at(end), title="Moved")


SERIES = timed(
    *("2026-01-05T09:00", "2026-01-05T10:00"),
    recurrence="FREQ=WEEKLY;COUNT=4",
    overrides=(
        moved("2026-01-12T09:00", "2026-02-20T09:00", "2026-02-20T12:00"),
        Override(at("2026-01-19T09:00"), cancelled=True),
        Override(at("2026-01-26T09:00"), title="Renamed"),
    ),
)


def test_a_moved_instance_is_found_where_it_went_and_not_where_it_was() -> None:
    assert not occurrences(SERIES, at("2026-01-12"), at("2026-01-13"), 9)
    (found,) = occurrences(SERIES, at("2026-02-20T11:00"), at("2026-03-01"), 9)
    assert found == Occurrence(
        at("2026-02-20T09:00"), at("2026-02-20T12:00"), at("2026-01-12T09:00"), SERIES.overrides[0]
    )


def test_a_cancelled_instance_is_none_and_a_changed_one_keeps_its_time() -> None:
    found = occurrences(SERIES, *ALL, 9)
    assert [one.start for one in found] == [
        *(at("2026-01-05T09:00"), at("2026-01-26T09:00"), at("2026-02-20T09:00")),
    ]
    assert found[1].override == SERIES.overrides[2]
    assert found[1].end == at("2026-01-26T10:00")


def test_the_limit_keeps_the_earliest_also_when_instances_were_moved() -> None:
    assert starts(SERIES, 2) == [at("2026-01-05T09:00"), at("2026-01-26T09:00")]
    early = replace(
        SERIES, overrides=(moved("2026-01-26T09:00", "2026-01-01T09:00", "2026-01-01T10:00"),)
    )
    assert starts(early, 1) == [at("2026-01-01T09:00")]
    assert starts(SERIES, 0) == []


def test_starts_that_fall_together_when_clocks_are_put_forward_are_one() -> None:
    event = timed("2026-03-29T00:00", "2026-03-29T00:10", BERLIN, recurrence="FREQ=HOURLY;COUNT=6")
    found = starts(event)
    assert found == sorted(set(found))
    assert len(found) == 5


def test_the_limit_keeps_the_earliest_also_where_the_wall_jumps_and_dates_were_added() -> None:
    # 02:00 and 02:50 are never shown and read as 03:00 and 03:50, beside 03:40 itself.
    jump = timed(
        *("2026-03-29T01:10", "2026-03-29T01:20", BERLIN), recurrence="FREQ=MINUTELY;INTERVAL=50"
    )
    for limit in (2, 3, 4):
        shown = [f"{one:%H:%M}" for one in starts(jump, limit)]
        assert shown == ["01:10", "03:00", "03:40", "03:50"][:limit]
    late = tuple(at("2030-01-01") + timedelta(days=day) for day in range(2_000))
    event = timed("2026-01-01T09:00", "2026-01-01T10:00", recurrence="FREQ=DAILY", added=late)
    assert starts(event, 2) == [at("2026-01-01T09:00"), at("2026-01-02T09:00")]
    early = replace(event, added=(at("2025-12-24"),))
    assert starts(early, 1) == [at("2025-12-24")]


def test_no_question_is_answered_at_unbounded_length() -> None:
    event = timed("1990-01-01T00:00", "1990-01-01T00:01", recurrence="FREQ=MINUTELY")
    assert len(occurrences(event, *ALL, 10**9)) == MOST_OCCURRENCES
    assert len(occurrences(event, datetime.min.replace(tzinfo=UTC), ALL[1], 5)) == 5
    assert occurrences(event, ALL[0], datetime.max.replace(tzinfo=UTC), 1)


def test_starts_that_a_series_does_not_have_are_told() -> None:
    known, strange = at("2026-01-12T09:00"), at("2026-01-13T09:00")
    for rule in ("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=3"):
        event = replace(SERIES, overrides=(), recurrence=rule)
        assert unknown_starts(event, [known, strange]) == {strange}
        assert unknown_starts(event, [at("0001-01-01"), known]) == {at("0001-01-01")}


@settings(deadline=None, max_examples=60)
@given(events(), st.integers(0, 300), st.integers(1, 100))
def test_a_window_shows_what_all_of_time_shows_there(event: Event, skipped: int, days: int) -> None:
    start = event.starts_at + timedelta(days=skipped)
    end = start + timedelta(days=days)
    whole = occurrences(event, event.starts_at - timedelta(days=9), end, MOST_OCCURRENCES)
    expected = [one for one in whole if one.start < end and (one.end > start or one.start >= start)]
    assert occurrences(event, start, end, MOST_OCCURRENCES) == expected
