"""From one VEVENT, and from all that share a UID, to an event (RFC 5545, section 3.6.1).

Invariant: what the file says is kept, or named in a note, or the reason why the event is refused;
times that carry no zone are marked as floating, never given one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.parser import unescape_backslash

from atom_backend.domain.events import Event, EventStatus
from atom_backend.domain.local_time import aware, midnight, wall_clock, zone
from atom_backend.extraction.ics_components import Component
from atom_backend.extraction.ics_people import attendees
from atom_backend.extraction.ics_times import Length, Moment, length, moment, moments
from atom_backend.extraction.ics_zones import Place, Unreadable, Zones, alike

_KEPT = {
    *("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP", "ATTENDEE"),
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
}
_OF_THE_FILE = {"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"}
"""They speak of the file's copy of the event, not of the event."""

_MOST_NAMED = 20
_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Reading:
    """How the VEVENTs of one calendar are read. ``home`` is where floating times are reckoned."""

    zones: Zones
    home: str
    calendar: str | None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, slots=True)
class Dated:
    """A start, and the end where it has one of its own."""

    start: datetime
    end: datetime | None


def single(component: Component, reading: Reading) -> Event:
    """The event that a VEVENT describes by itself, without its dates and overrides.

    Raises Unreadable.
    """
    _check(component)
    start = _required(component, "DTSTART")
    place, floating = _place(component, start, reading)
    starts_at = _instant(start, place, reading)
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
        external_id=_text(component, "UID", reading).strip() or None,
    )
    _note_what_is_left_out(component, reading)
    return event


def dates(component: Component, name: str, series: Event, reading: Reading) -> Iterator[Dated]:
    """The starts that the EXDATEs or RDATEs of a component name. Raises Unreadable."""
    for given in component.all(name):
        for start, end in moments(given):
            begin = start_in(series, start, reading)
            yield Dated(begin, _period_end(begin, end, series, reading) if end else None)


def start_in(series: Event, given: Moment, reading: Reading) -> datetime:
    """The start of an instance that is meant by a date or time of any form."""
    place = zone(series.time_zone)
    if series.all_day:
        if not given.whole_day:
            reading.note("times in a series of whole days are read as their dates")
        return midnight(date(given.at.year, given.at.month, given.at.day), place)
    if isinstance(given.at, datetime):
        if given.at.tzinfo is None and given.tzid is None and not series.floating:
            reading.note("times without a zone are read in the zone of their series")
            return aware(given.at, place)
        return _instant(given, _zone_of(given, reading, place), reading)
    reading.note("dates in a series of times mean its occurrence on that day")
    time = wall_clock(series.starts_at, place).time()
    return aware(datetime.combine(given.at, time), place)


def _check(component: Component) -> None:
    if component.faults:
        raise Unreadable(f"it is not well formed: {component.faults[0]}")
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
    place = _zone_of(start, reading, home)
    if place.name is None and (component.first("RRULE") or component.first("RDATE")):
        place = alike(place, start.at.replace(tzinfo=None))
    elif place.name is None:
        reading.note("the time zone that the file defines is no zone of the IANA: kept in UTC")
    if place.note:
        reading.note(place.note)
    return place, start.at.tzinfo is None and start.tzid is None


def _zone_of(given: Moment, reading: Reading, otherwise: Place | ZoneInfo) -> Place:
    if given.tzid is not None:
        return reading.zones.named(given.tzid)
    if isinstance(given.at, datetime) and given.at.tzinfo is not None:
        return Place("UTC", ZoneInfo("UTC"))
    if isinstance(otherwise, Place):
        return otherwise
    return Place(otherwise.key, otherwise)


def _instant(given: Moment, place: Place, reading: Reading) -> datetime:
    try:
        if not isinstance(given.at, datetime):
            return midnight(given.at, zone(place.name or "UTC"))
        if given.at.tzinfo is not None:
            if given.tzid is not None:
                reading.note("a time in UTC that names another zone is read in UTC")
            return given.at.astimezone(UTC)
        return place.instant(given.at)
    except OverflowError:
        raise Unreadable("a time lies at the end of the calendar") from None


def _end(
    component: Component, start: Moment, starts_at: datetime, place: Place, reading: Reading
) -> datetime:
    given, lasting = component.first("DTEND"), component.first("DURATION")
    usual = Length(1 if start.whole_day else 0, timedelta(0))
    after = _after(start, starts_at, length(lasting) if lasting else usual, place)
    if given is None:
        return after
    end = moment(given)
    if end.whole_day != start.whole_day:
        raise Unreadable("DTSTART and DTEND must both be dates or both be times")
    ends_at = _instant(end, _zone_of(end, reading, place), reading)
    if lasting is not None and ends_at != after:
        raise Unreadable("DTEND and DURATION contradict each other")
    if start.whole_day and ends_at == starts_at:
        reading.note("DTEND is the day of DTSTART: kept as one whole day")
        return after
    return ends_at


def _after(start: Moment, starts_at: datetime, lasting: Length, place: Place) -> datetime:
    """The end of what begins then: first the days of the calendar, then the rest."""
    if start.whole_day and lasting.rest % _ONE_DAY:
        raise Unreadable("DURATION must be whole days, as DTSTART is a date")
    try:
        if not lasting.days:
            return starts_at + lasting.rest
        at = datetime(start.at.year, start.at.month, start.at.day)
        if isinstance(start.at, datetime):
            at = start.at.replace(tzinfo=None)
        clock = Place("UTC", ZoneInfo("UTC")) if _in_utc(start) else place
        return clock.instant(at + lasting.days * _ONE_DAY) + lasting.rest
    except OverflowError:
        raise Unreadable("its end lies at the end of the calendar") from None


def _in_utc(start: Moment) -> bool:
    return isinstance(start.at, datetime) and start.at.tzinfo is not None


def _period_end(start: datetime, end: Moment | Length, series: Event, reading: Reading) -> datetime:
    if isinstance(end, Moment):
        return start_in(replace(series, all_day=False), end, reading)
    place = zone(series.time_zone)
    local = wall_clock(start, place)
    return _after(Moment(local), start, end, Place(series.time_zone, place))


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
    left = sorted(
        {name for name in others if len(name) < 40} | {c.name for c in component.children}
    )
    if left:
        more = ", ..." if len(left) > _MOST_NAMED else ""
        reading.note(f"not kept: {', '.join(left[:_MOST_NAMED])}{more}")
    if component.skipped:
        lines = ", ".join(map(str, component.skipped[:_MOST_NAMED]))
        reading.note(f"lines that cannot be read are not kept: {lines}")
