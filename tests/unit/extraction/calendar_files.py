"""Builds small calendar files, line by line."""

from __future__ import annotations

from atom_backend.domain.calendar.calendar_files import CalendarImport, ImportedEvent
from atom_backend.extraction.calendars.icalendar import read_calendar

START = "DTSTART:20260105T090000Z"
WEEKLY = [START, "RRULE:FREQ=WEEKLY"]


def event(*lines: str, uid: str = "1") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def calendar(*parts: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""]).encode()


def read(*lines: str) -> ImportedEvent:
    """The one event that a VEVENT of these lines becomes."""
    found = read_calendar(calendar(event(*lines)))
    assert found.refusals == ()
    (one,) = found.events
    return one


def reasons(found: CalendarImport) -> list[str]:
    return [one.reason for one in found.refusals]
