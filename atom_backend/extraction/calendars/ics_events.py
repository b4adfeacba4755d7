"""From one VEVENT to an event (RFC 5545, section 3.6.1).

Invariant: what the file says is kept, or named in a note, or the reason why the event is refused;
times that carry no zone are marked as floating, never given one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.parser import unescape_backslash

from atom_backend.domain.calendar.events import Event, EventStatus
from atom_backend.extraction.calendars.ics_components import Component
from atom_backend.extraction.calendars.ics_instants import Reading, end_after, instant, zone_of
from atom_backend.extraction.calendars.ics_people import attendees
from atom_backend.extraction.calendars.ics_times import Length, Moment, length, moment
from atom_backend.extraction.calendars.ics_zones import Place, Unreadable

_WHEN = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
_KEPT = {"UID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP", "ATTENDEE"} | _WHEN
_OF_THE_FILE = {"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"}
"""They speak of the file's copy of the event, not of the event."""

_MOST_NAMED = 20


def single(component: Component, reading: Reading) -> Event:
    """The event that a VEVENT describes by itself, without its dates and overrides.

    Raises Unreadable.
    """
    _check(component)
    start = _required(component, "DTSTART")
    place, floating = _place(component, start, reading)
    starts_at = instant(start, place, reading)
    event = Event(
        title=_text(component, "SUMMARY", reading),
        starts_at=starts_at,
        ends_at=_end(component, start, starts_at, place, reading),
        time_zone=place.name or "UTC",
        all_day=start.whole_day,
        floating=floating,
        description=_text(component, "DESCRIPTION", reading),
        location=_text(component, "LOCATION", reading),
        recurrence=_rule(component, reading),
        attendees=attendees(component, reading.note),
        status=_status(component, reading),
        transparent=_first(component, "TRANSP").upper() == "TRANSPARENT",
        calendar=reading.calendar,
        uid=_text(component, "UID", reading).strip() or None,
    )
    _note_what_is_left_out(component, reading)
    return event


def _check(component: Component) -> None:
    if component.faults:
        raise Unreadable(f"it is not well formed: {component.faults[0]}")
    for line, name in component.skipped:
        if name in _WHEN:
            raise Unreadable(f"{name} on line {line} cannot be read")
    for name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"):
        if len(component.all(name)) > 1:
            raise Unreadable(f"{name} stands more than once")
    if component.first("EXRULE"):
        raise Unreadable("EXRULE is obsolete: write what it leaves out as EXDATE")


def _required(component: Component, name: str) -> Moment:
    given = component.first(name)
    if given is None:
        raise Unreadable(f"{name} is missing")
    return moment(given)


def _place(component: Component, start: Moment, reading: Reading) -> tuple[Place, bool]:
    """The zone by whose clocks the event repeats, and whether it floats."""
    home = Place(reading.home, ZoneInfo(reading.home))
    if not isinstance(start.at, datetime):
        return home, False
    place = zone_of(start, reading, home)
    repeats = component.first("RRULE") or component.first("RDATE")
    if place.name is None and repeats and start.tzid is not None:
        place = reading.zones.like(start.tzid, start.at.year)
    elif place.name is None:
        reading.note("the time zone that the file defines is no zone of the IANA: kept in UTC")
    if place.note:
        reading.note(place.note)
    return place, start.at.tzinfo is None and start.tzid is None


def _end(
    component: Component, start: Moment, starts_at: datetime, place: Place, reading: Reading
) -> datetime:
    given, lasting = component.first("DTEND"), component.first("DURATION")
    usual = Length(1 if start.whole_day else 0, timedelta(0))
    counted = end_after(start, starts_at, length(lasting) if lasting else usual, place)
    if given is None:
        return counted
    end = moment(given)
    if end.whole_day != start.whole_day:
        raise Unreadable("DTSTART and DTEND must both be dates or both be times")
    ends_at = instant(end, zone_of(end, reading, place), reading)
    if lasting is not None and counted == starts_at:
        # Thunderbird 60 wrote PT0S into every instance that was moved.
        reading.note("a DURATION of nothing beside DTEND is not kept")
    elif lasting is not None and ends_at != counted:
        raise Unreadable("DTEND and DURATION contradict each other")
    if start.whole_day and ends_at == starts_at:
        reading.note("DTEND is the day of DTSTART: kept as one whole day")
        return counted
    return ends_at


def _rule(component: Component, reading: Reading) -> str | None:
    """The RRULE, with what writers are known to put into it by mistake taken out."""
    given = {one.value for one in component.all("RRULE")}
    if not given:
        return None
    if len(given) > 1:
        raise Unreadable("it has several RRULEs: make an event of each")
    value = given.pop()
    rule = "".join(value.replace("\\", "").split()).removesuffix(";").upper()
    if rule != value.upper():
        reading.note("blanks, backslashes and a semicolon at the end of RRULE are not kept")
    if not rule:
        reading.note("an empty RRULE is none")
    return rule or None


def _status(component: Component, reading: Reading) -> EventStatus:
    given = _first(component, "STATUS").lower()
    if not given:
        return EventStatus.CONFIRMED
    try:
        return EventStatus(given)
    except ValueError:
        reading.note("STATUS is none that an event can have: kept as confirmed")
        return EventStatus.CONFIRMED


def _first(component: Component, name: str) -> str:
    given = component.first(name)
    return given.value.strip() if given else ""


def _text(component: Component, name: str, reading: Reading) -> str:
    given = component.all(name)
    if len(given) > 1:
        reading.note(f"{name} stands more than once: the first is kept")
    return unescape_backslash(given[0].value) if given else ""


def _note_what_is_left_out(component: Component, reading: Reading) -> None:
    names: Sequence[str] = [one.name for one in component.properties]
    others = {name for name in names if name not in _KEPT | _OF_THE_FILE}
    left = sorted(others | {child.name for child in component.children})
    if left:
        more = ", ..." if len(left) > _MOST_NAMED else ""
        reading.note(f"not kept: {', '.join(left[:_MOST_NAMED])}{more}")
    if component.skipped:
        lines = ", ".join(str(line) for line, _ in component.skipped[:_MOST_NAMED])
        reading.note(f"lines that cannot be read are not kept: {lines}")
