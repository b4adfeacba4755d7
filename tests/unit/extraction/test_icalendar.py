"""Calendar files are imported event by event: kept, noted or refused, and nothing crashes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from atom_backend.domain.calendar.events import (
    Attendee,
    Event,
    EventStatus,
    Override,
    Participation,
    Role,
)
from atom_backend.extraction.calendars.icalendar import read_calendar
from tests.unit.domain.calendars import at
from tests.unit.extraction.calendar_files import START, WEEKLY, calendar, event, read


def test_an_event_is_read_whole() -> None:
    found = read_calendar(
        calendar(
            "X-WR-CALNAME:Work\\, mostly",
            event(
                "DTSTART;TZID=Europe/Berlin:20260329T090000",
                "DTEND;TZID=Europe/Berlin:20260329T103000",
                "SUMMARY:Tea\\, and more",
                "DESCRIPTION:First\\nsecond \\\\ line\\;",
                "LOCATION:Kitch",
                " en",
                "STATUS:TENTATIVE",
                "TRANSP:TRANSPARENT",
                'ATTENDEE;CN="Doe, Jane";PARTSTAT=ACCEPTED;ROLE=CHAIR:MAILTO:jane@example.org',
                "ATTENDEE;PARTSTAT=X-MAYBE;CN=\\:urn:uuid:7",
            ),
        )
    )
    (one,) = found.events
    assert (one.line, one.notes) == (4, ())
    assert one.event == Event(
        title="Tea, and more",
        starts_at=at("2026-03-29T09:00", "Europe/Berlin"),
        ends_at=at("2026-03-29T10:30", "Europe/Berlin"),
        time_zone="Europe/Berlin",
        description="First\nsecond \\ line;",
        location="Kitchen",
        attendees=(
            Attendee("jane@example.org", "Doe, Jane", Participation.ACCEPTED, Role.CHAIR),
            Attendee("urn:uuid:7", "\\"),
        ),
        status=EventStatus.TENTATIVE,
        transparent=True,
        calendar="Work, mostly",
        uid="1",
    )


@pytest.mark.parametrize(
    ("lines", "hours"),
    [
        (["DTSTART:20260105T090000Z"], 0),
        (["DTSTART:20260105T090000Z", "DTEND:20260105T100000Z"], 1),
        (["DTSTART:20260105T090000Z", "DURATION:PT1H30M"], 1.5),
        (["DTSTART:20260105T090000Z", "DURATION:P1W"], 168),
        (["DTSTART;VALUE=DATE:20260105"], 24),
        (["DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260108"], 72),
        (["DTSTART;VALUE=DATE:20260105", "DURATION:P2D"], 48),
        # A day of the calendar, and a day by the stopwatch, when clocks are put forward.
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"], 23),
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"], 24),
        (["DTSTART:20260105T090000Z", "DTEND;TZID=America/New_York:20260105T050000"], 1),
    ],
)
def test_the_end_is_what_dtend_duration_or_neither_says(lines: list[str], hours: float) -> None:
    found = read(*lines).event
    assert found.ends_at - found.starts_at == timedelta(hours=hours)
    assert found.all_day is ("VALUE=DATE:" in lines[0])


def test_times_without_a_zone_float_and_are_reckoned_where_the_reader_says() -> None:
    content = calendar(
        event("DTSTART:20260705T090000"), event("DTSTART;VALUE=DATE:20260705", uid="2")
    )
    timed, day = (one.event for one in read_calendar(content, time_zone="Europe/Berlin").events)
    assert (timed.floating, timed.time_zone) == (True, "Europe/Berlin")
    assert timed.starts_at == at("2026-07-05T07:00")
    assert (day.floating, day.starts_at) == (False, at("2026-07-04T22:00"))


def test_exceptions_and_added_dates_of_several_lines_and_forms_are_read() -> None:
    found = read(
        *WEEKLY,
        "DTEND:20260105T100000Z",
        "EXDATE:20260112T090000Z,20260119T090000Z",
        "EXDATE;TZID=Europe/Berlin:20260126T100000",
        "RDATE:20260107T180000Z",
        "RDATE;VALUE=PERIOD:20260108T180000Z/PT3H,20260109T180000Z/20260109T190000Z",
    )
    assert found.event.exceptions == tuple(at(f"2026-01-{day}T09:00") for day in (12, 19, 26))
    assert found.event.added == tuple(at(f"2026-01-0{day}T18:00") for day in (7, 8, 9))
    start = at("2026-01-08T18:00")
    longer = Override(start, starts_at=start, ends_at=at("2026-01-08T21:00"))
    assert found.event.overrides == (longer,)


def test_dates_in_a_series_of_times_and_the_reverse_are_read_with_a_note() -> None:
    found = read(*WEEKLY, "EXDATE;VALUE=DATE:20260112")
    assert found.event.exceptions == (at("2026-01-12T09:00"),)
    assert any("on that day" in note for note in found.notes)
    days = read("DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY", "EXDATE:20260112T090000Z")
    assert days.event.exceptions == (at("2026-01-12"),)
    assert any("as their dates" in note for note in days.notes)


def test_instances_of_a_series_become_its_overrides_with_only_what_differs() -> None:
    found = read_calendar(
        calendar(
            event("RECURRENCE-ID:20260112T090000Z", "DTSTART:20260113T120000Z", "SUMMARY:Tea"),
            event(*WEEKLY, "SUMMARY:Tea", "LOCATION:Here"),
            event("RECURRENCE-ID:20260119T090000Z", START.replace("05T", "19T"), "SUMMARY:Coffee"),
            event("RECURRENCE-ID:20260126T090000Z", START, "STATUS:CANCELLED"),
        )
    )
    (one,) = found.events
    moved = at("2026-01-13T12:00")
    assert one.event.overrides == (
        Override(at("2026-01-12T09:00"), starts_at=moved, ends_at=moved, location=""),
        Override(at("2026-01-19T09:00"), title="Coffee", location=""),
        Override(at("2026-01-26T09:00"), cancelled=True),
    )


def test_an_instance_on_a_strange_date_is_added_and_an_outdated_one_is_not() -> None:
    strange = ["RECURRENCE-ID:20260114T090000Z", "DTSTART:20260114T090000Z"]
    (added,) = read_calendar(calendar(event(*WEEKLY), event(*strange))).events
    assert added.event.added == (at("2026-01-14T09:00"),)
    assert any("added to it" in note for note in added.notes)
    newer = event(*WEEKLY, "SEQUENCE:1", "EXDATE:20260112T090000Z")
    outdated = [line.replace("0114", "0112") for line in strange]
    (kept,) = read_calendar(calendar(newer, event(*strange), event(*outdated))).events
    assert (kept.event.added, kept.event.overrides) == ((), ())
    assert any("older than their series" in note for note in kept.notes)


def test_an_instance_that_differs_stays_though_it_is_left_out_as_well() -> None:
    series = event(*WEEKLY, "EXDATE:20260112T090000Z")
    instance = event("RECURRENCE-ID:20260112T090000Z", "DTSTART:20260112T110000Z")
    (one,) = read_calendar(calendar(series, instance)).events
    assert one.event.exceptions == ()
    assert [override.original_start for override in one.event.overrides] == [at("2026-01-12T09:00")]


def test_instances_without_their_series_become_events_with_their_own_identifiers() -> None:
    instances = [
        event(f"RECURRENCE-ID:2026011{day}T090000Z", f"DTSTART:2026011{day}T090000Z", "SUMMARY:x")
        for day in (2, 3)
    ]
    found = read_calendar(calendar(*instances))
    identifiers = [one.event.uid for one in found.events]
    assert identifiers == ["1#20260112T090000Z", "1#20260113T090000Z"]
    assert all("by itself" in one.notes[0] for one in found.events)


def test_of_two_states_of_an_event_the_newer_one_counts() -> None:
    found = read_calendar(
        calendar(
            event(START, "SUMMARY:Old", "SEQUENCE:2", "DTSTAMP:20260101T000000Z"),
            event(START, "SUMMARY:New", "SEQUENCE:10", "DTSTAMP:20250101T000000Z"),
            event(START, "SUMMARY:Older", "SEQUENCE:x"),
        )
    )
    assert [one.event.title for one in found.events] == ["New"]
    assert [one.line for one in found.refusals] == [3, 17]


def test_what_is_not_kept_is_named() -> None:
    found = read(START, "CATEGORIES:a", "X-OWN:b", "BEGIN:VALARM", "END:VALARM", "no content line")
    assert found.notes == (
        "not kept: CATEGORIES, VALARM, X-OWN",
        "lines that cannot be read are not kept: 10",
    )


@pytest.mark.parametrize(
    ("rule", "kept", "noted"),
    [
        ("FREQ=WEEKLY;BYDAY=MO, TU", "FREQ=WEEKLY;BYDAY=MO,TU", True),
        ("FREQ=DAILY\\;COUNT=2", "FREQ=DAILY;COUNT=2", True),
        ("FREQ=DAILY;", "FREQ=DAILY", True),
        ("freq=Daily", "FREQ=DAILY", False),
        ("", None, True),
    ],
)
def test_known_slips_in_a_rule_are_mended_with_a_note(
    rule: str, kept: str | None, noted: bool
) -> None:
    found = read(START, f"RRULE:{rule}")
    assert found.event.recurrence == kept
    assert bool(found.notes) is noted


def test_several_calendars_and_events_outside_of_any_are_read() -> None:
    content = calendar("NAME:One", event(START)) + calendar("X-WR-CALNAME:Two", event(START))
    content += event(START, uid="3").encode()
    found = read_calendar(content)
    assert [one.event.calendar for one in found.events] == ["One", "Two", None]


@pytest.mark.parametrize(
    "content",
    [
        calendar(event(START, "SUMMARY:Grüße")).replace(b"\r\n", b"\n"),
        calendar(event(START, "SUMMARY:Grüße")).replace(b"\r\n", b"\r"),
        b"\xef\xbb\xbf" + calendar(event(START, "SUMMARY:Grüße")),
        b"\xff\xfe" + calendar(event(START, "SUMMARY:Grüße")).decode().encode("utf-16-le"),
        calendar(event(START, "SUMMARY:Grüße")).replace(b"\xc3\xbc", b"\xc3\r\n \xbc"),
        calendar(event(START, "SUMMARY:Grüße")).replace("üße".encode(), "ü\r\n\tße".encode()),
    ],
    ids=["lf", "cr", "mark", "utf-16", "folded within a character", "folded by a tab"],
)
def test_line_ends_folds_and_encodings_do_not_matter(content: bytes) -> None:
    assert [one.event.title for one in read_calendar(content).events] == ["Grüße"]
