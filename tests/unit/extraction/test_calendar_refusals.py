"""What cannot be imported is refused with its reason and its place, and nothing crashes."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.calendar_files import CalendarImport
from atom_backend.errors import InvalidInput, RequestError, TooLarge, UnsupportedMedia
from atom_backend.extraction.calendars.icalendar import MOST_BYTES, MOST_EVENTS, read_calendar
from atom_backend.extraction.calendars.ics_components import DEEPEST, MOST_LINES
from tests.unit.extraction.calendar_files import START, WEEKLY, calendar, event, reasons


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["SUMMARY:x"], "DTSTART is missing"),
        (["DTSTART:"], "DTSTART is no date"),
        (["DTSTART:20260230"], "DTSTART is no date"),
        (["DTSTART:20260105T250000"], "DTSTART is no date"),
        (["DTSTART:00010101T000000"], "years"),
        (["DTSTART;TZID=Europe/Berlin:00010101T000000"], "end of the calendar"),
        ([START, "RRULE"], "RRULE on line 6 cannot be read"),
        ([START, "EXDATE;TZID:20260105T090000Z"], "EXDATE on line 6 cannot be read"),
        ([START, START], "more than once"),
        ([START, "DTEND:20260105T080000Z"], "before starts_at"),
        ([START, "DTEND;VALUE=DATE:20260105"], "both be"),
        ([START, "DURATION:-PT1H"], "DURATION is no length"),
        ([START, "DURATION:P"], "DURATION is no length"),
        ([START, "DURATION:P999999W"], "thousand years"),
        ([START, "DURATION:PT1H", "DTEND:20260105T090100Z"], "contradict"),
        (["DTSTART;VALUE=DATE:20260105", "DURATION:PT1H"], "whole days"),
        ([START, "RRULE:FREQ=SOMETIMES"], "FREQ must be"),
        ([START, "RRULE:FREQ=SECONDLY"], "FREQ must be"),
        ([START, "RRULE:FREQ=DAILY;BYMONTHDAY=31;BYMONTH=6"], "never comes true"),
        ([START, "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "several RRULEs"),
        ([*WEEKLY, "EXRULE:FREQ=MONTHLY"], "EXRULE"),
        ([*WEEKLY, "RDATE;VALUE=TIME:090000"], "RDATE is no date"),
        ([*WEEKLY, "EXDATE:20260112T090000Z,x"], "EXDATE is no date"),
        ([START, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z"], "RANGE"),
        (["DTSTART;TZID=Nowhere:20260105T090000"], "time zone is not known"),
        ([START, "BEGIN:VALARM"], "END:VALARM is missing"),
        ([START, "END:VALARM"], "without its BEGIN"),
        ([START, "SUMMARY:" + "x" * 2000], "title"),
        ([START, "SUMMARY:a\x00"], "NUL"),
    ],
)
def test_an_event_that_cannot_be_kept_is_refused_alone_and_with_its_reason(
    lines: list[str], why: str
) -> None:
    found = read_calendar(calendar(event(*lines), event(START, uid="good")))
    assert [one.event.uid for one in found.events] == ["good"]
    (refusal,) = found.refusals
    assert (refusal.component, refusal.line) == ("VEVENT", 3)
    assert why in refusal.reason


def test_a_series_whose_instance_cannot_be_read_is_refused_with_the_place() -> None:
    found = read_calendar(calendar(event(*WEEKLY), event("RECURRENCE-ID:20260112T090000Z")))
    assert found.events == ()
    assert reasons(found) == ["its instance on line 8: DTSTART is missing"]


def test_what_is_no_event_is_refused_by_its_kind() -> None:
    found = read_calendar(calendar("BEGIN:VTODO", "END:VTODO", event(START)))
    assert [(one.component, one.line) for one in found.refusals] == [("VTODO", 3)]
    assert len(found.events) == 1


def test_a_component_that_lost_its_end_does_not_swallow_the_next_one() -> None:
    found = read_calendar(
        calendar(
            "BEGIN:VTODO", "END:VTOOD", event(START), "BEGIN:VEVENT", START, event(START, uid="2")
        )
    )
    assert [one.event.uid for one in found.events] == ["1", "2"]
    assert [one.component for one in found.refusals] == ["VTODO", "VEVENT"]


def test_an_encoding_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_calendar(calendar(event(START, "SUMMARY:Grüße")).decode().encode("latin-1"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jane\r\nEND:VCARD\r\n", "contacts"),
        (b"", "no VCALENDAR"),
        (b"<html></html>", "no VCALENDAR"),
        (b"%PDF-1.7\x00\xff", "not text"),
    ],
)
def test_what_is_no_calendar_is_refused_as_a_whole(content: bytes, why: str) -> None:
    with pytest.raises(UnsupportedMedia, match=why):
        read_calendar(content)


def test_a_file_is_refused_where_it_is_larger_than_can_be_read() -> None:
    with pytest.raises(TooLarge, match="10 MiB"):
        read_calendar(b"x" * (MOST_BYTES + 1))
    with pytest.raises(InvalidInput, match="more lines"):
        read_calendar(b"A:\n" * (MOST_LINES + 1))
    with pytest.raises(InvalidInput, match="more events"):
        read_calendar(calendar("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * (MOST_EVENTS + 1)))


def test_names_in_a_refusal_are_names_whatever_the_file_says() -> None:
    found = read_calendar(calendar("BEGIN:\x00" + "x" * 5000, "END:?", event(START)))
    assert [one.component for one in found.refusals] == ["?"]
    assert len(found.events) == 1


def test_components_within_components_are_followed_only_so_far() -> None:
    def nested(levels: int) -> CalendarImport:
        return read_calendar(calendar(event(START, *["BEGIN:X"] * levels, *["END:X"] * levels)))

    assert len(nested(DEEPEST - 2).events) == 1
    assert len(nested(DEEPEST - 1).refusals) == 1


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd"])
def test_an_unknown_zone_of_the_reader_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        read_calendar(calendar(event(START)), time_zone=name)


LINES = st.sampled_from(
    [
        *("BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "UID:1", "UID:2"),
        *("DTSTART:20260105T090000Z", "DTSTART;TZID=Odd:20260105T090000", "DTSTART:99991231"),
        *("DTEND:20260105T090000", "DURATION:P3W", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;COUNT=3"),
        *("RECURRENCE-ID:20260112T090000Z", "RECURRENCE-ID:00010101", "EXDATE:99991231T235959"),
        *("RDATE:20260109", "RDATE;VALUE=PERIOD:20260109T010101Z/P9999D", "STATUS:CANCELLED"),
        *("BEGIN:VTIMEZONE", "TZID:Odd", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
        *(
            "TZOFFSETFROM:+0130",
            "TZOFFSETTO:+0130",
            "END:STANDARD",
            "END:VTIMEZONE",
            ":",
            ";",
            " x",
        ),
        *("ATTENDEE;CN=:", 'SUMMARY;X="', "SUMMARY:\\", "SEQUENCE:9", "TRANSP:TRANSPARENT"),
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(LINES | st.text(max_size=12), max_size=40))
def test_whatever_the_lines_every_event_is_imported_or_refused(lines: list[str]) -> None:
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART:20260105T090000Z", *lines])
    try:
        found = read_calendar(text.encode("utf-8", "surrogatepass"))
    except RequestError:
        return
    assert len(found.events) + len(found.refusals) >= 1
    assert all(one.event.starts_at.tzinfo is UTC for one in found.events)
