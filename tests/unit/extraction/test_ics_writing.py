"""What is written as iCalendar is read again as the same events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.events import Attendee, Event, Override
from atom_backend.domain.calendar.occurrences import occurrences
from atom_backend.extraction.calendars.icalendar import read_calendar
from atom_backend.extraction.calendars.ics_writing import write_calendars
from tests.unit.domain.calendars import at, events, timed, whole_days

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def written(*given: Event) -> str:
    pairs = [(event.uid or "uid", event) for event in given]
    return b"".join(write_calendars(pairs, written_at=NOW)).decode()


def read_again(*given: Event) -> list[Event]:
    found = read_calendar(written(*given).encode())
    assert found.refusals == ()
    assert [one.notes for one in found.events] == [()] * len(found.events)
    return [one.event for one in found.events]


@settings(deadline=None)
@given(events())
def test_an_event_that_was_written_is_read_as_it_was(event: Event) -> None:
    assert read_again(event) == [event]


@settings(deadline=None, max_examples=40)
@given(events())
def test_an_event_has_the_same_occurrences_after_a_round_trip(event: Event) -> None:
    (found,) = read_calendar(written(event).encode()).events
    window = (event.starts_at - timedelta(days=9), event.starts_at + timedelta(days=500))
    assert occurrences(found.event, *window, 500) == occurrences(event, *window, 500)


@settings(deadline=None, max_examples=40)
@given(st.lists(events(), max_size=4))
def test_many_events_of_many_calendars_are_all_read_and_another_reader_agrees(
    given: list[Event],
) -> None:
    several = [replace(one, uid=f"uid-{place}") for place, one in enumerate(given)]
    found = read_calendar(written(*several).encode()).events
    assert {one.event.uid for one in found} == {one.uid for one in several}
    titles = [
        str(component.get("SUMMARY", ""))
        for calendar in icalendar.Calendar.from_ical(written(*several), multiple=True)
        for component in calendar.walk("VEVENT")
        if "RECURRENCE-ID" not in component
    ]
    assert sorted(titles) == sorted(one.title for one in several)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (
            timed("2026-03-29T09:00", "2026-03-29T10:00", "Europe/Berlin"),
            [
                "DTSTART;TZID=Europe/Berlin:20260329T090000",
                "DTEND;TZID=Europe/Berlin:20260329T100000",
                "BEGIN:VTIMEZONE",
                "TZID:Europe/Berlin",
            ],
        ),
        (timed("2026-03-29T09:00", "2026-03-29T09:00"), ["DTSTART:20260329T090000Z"]),
        (
            timed("2026-03-29T09:00", "2026-03-29T10:00", floating=True),
            ["DTSTART:20260329T090000", "DTEND:20260329T100000"],
        ),
        (
            whole_days("2026-03-29", "2026-03-31", "Asia/Tokyo"),
            ["DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260331"],
        ),
        (
            # Half past two, the second time that night: only UTC says which.
            replace(
                timed("2026-10-25T00:00", "2026-10-25T01:00", "Europe/Berlin"),
                ends_at=at("2026-10-25T01:30"),
            ),
            ["DTSTART;TZID=Europe/Berlin:20261025T000000", "DTEND:20261025T013000Z"],
        ),
        (
            # Its clocks have agreed with UTC since 1970, but it is another zone.
            timed("2026-03-29T09:00", "2026-03-29T10:00", "Africa/Abidjan"),
            ["DTSTART;TZID=Africa/Abidjan:20260329T090000"],
        ),
    ],
)
def test_times_are_written_in_the_form_that_says_what_they_are(
    event: Event, lines: list[str]
) -> None:
    found = written(event).split("\r\n")
    assert [line for line in lines if line not in found] == []


def test_every_calendar_is_written_by_itself_and_none_is_a_calendar_too() -> None:
    one = timed("2026-01-01T09:00", "2026-01-01T10:00", calendar="One")
    found = written(one, replace(one, uid="2"), replace(one, calendar=None))
    assert found.count("BEGIN:VCALENDAR") == 2
    assert found.count("X-WR-CALNAME:One") == 1
    assert written().count("BEGIN:VCALENDAR") == 1


@pytest.mark.parametrize("text", ["a\nBEGIN:VEVENT", "a\r\nEND:VEVENT", "a\rEND:VEVENT", "\\n;,:"])
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    event = timed(
        *("2026-01-01T09:00", "2026-01-01T10:00"),
        description=text,
        location=text,
        calendar=text.split("\n", maxsplit=1)[0].split("\r", maxsplit=1)[0],
        uid="1",
        attendees=(Attendee("a@example.org", text.replace("\r", "")),),
    )
    (found,) = read_again(replace(event, title=text))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert (found.title, found.description, found.location) == (lines, lines, lines)
    assert found.attendees == event.attendees


def test_an_instance_is_written_whole() -> None:
    start = at("2026-01-08T09:00")
    event = timed(
        *("2026-01-01T09:00", "2026-01-01T10:00"),
        recurrence="FREQ=WEEKLY",
        location="Here",
        overrides=(Override(start, title="Other"),),
        uid="1",
    )
    instance = written(event).split("BEGIN:VEVENT")[2]
    for line in ("UID:1", "SUMMARY:Other", "LOCATION:Here", "RECURRENCE-ID:20260108T090000Z"):
        assert line in instance
    assert "RRULE" not in instance


def test_a_name_is_quoted_lest_its_last_backslash_escapes_what_follows() -> None:
    event = timed("2026-01-01T09:00", "2026-01-01T10:00", attendees=(Attendee("a@b", "c\\"),))
    assert 'CN="c\\"' in written(event)
