"""From the dates and times of one calendar to instants.

Invariant: a time in a zone is read by the clocks of that zone; one that says none is reckoned
where its series is, or at ``home``, and that is marked or noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from atom_backend.domain.calendar.events import Event
from atom_backend.domain.calendar.local_time import wall_clock, zone
from atom_backend.extraction.calendars.ics_components import Component
from atom_backend.extraction.calendars.ics_times import Length, Moment, moments
from atom_backend.extraction.calendars.ics_zones import UTC_PLACE, Place, Unreadable, Zones

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


def dates(component: Component, name: str, series: Event, reading: Reading) -> Iterator[Dated]:
    """The starts that the EXDATEs or RDATEs of a component name. Raises Unreadable."""
    for given in component.all(name):
        for start, end in moments(given):
            begin = start_in(series, start, reading)
            yield Dated(begin, _period_end(begin, end, series, reading) if end else None)


def start_in(series: Event, given: Moment, reading: Reading) -> datetime:
    """The start of an instance that is meant by a date or time of any form. Raises Unreadable."""
    home = Place(series.time_zone, zone(series.time_zone))
    if series.all_day and not given.whole_day:
        reading.note("times in a series of whole days are read as their dates")
    if series.all_day:
        return home.instant(_midnight(given.at))
    if isinstance(given.at, datetime):
        if given.at.tzinfo is None and given.tzid is None and not series.floating:
            reading.note("times without a zone are read in the zone of their series")
        return instant(given, zone_of(given, reading, home), reading)
    reading.note("dates in a series of times mean its occurrence on that day")
    time = wall_clock(series.starts_at, zone(series.time_zone)).time()
    return home.instant(datetime.combine(given.at, time))


def zone_of(given: Moment, reading: Reading, otherwise: Place) -> Place:
    """The zone in which a time is given; ``otherwise`` where it names none."""
    if given.tzid is not None:
        return reading.zones.named(given.tzid)
    return UTC_PLACE if given.in_utc else otherwise


def instant(given: Moment, place: Place, reading: Reading) -> datetime:
    """Raises Unreadable."""
    if not isinstance(given.at, datetime):
        return place.instant(_midnight(given.at))
    if given.in_utc and given.tzid is not None:
        reading.note("a time in UTC that names another zone is read in UTC")
    return given.at if given.in_utc else place.instant(given.at)


def end_after(start: Moment, starts_at: datetime, lasting: Length, place: Place) -> datetime:
    """The end of what begins then: first the days of the calendar, then the rest."""
    if start.whole_day and lasting.rest % _ONE_DAY:
        raise Unreadable("DURATION must be whole days, as DTSTART is a date")
    at = start.at if isinstance(start.at, datetime) else _midnight(start.at)
    clock = UTC_PLACE if start.in_utc else place
    try:
        if not lasting.days:
            return starts_at + lasting.rest
        return clock.instant(at.replace(tzinfo=None) + lasting.days * _ONE_DAY) + lasting.rest
    except OverflowError:
        raise Unreadable("its end lies beyond the calendar") from None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _period_end(start: datetime, end: Moment | Length, series: Event, reading: Reading) -> datetime:
    if isinstance(end, Moment):
        return start_in(replace(series, all_day=False), end, reading)
    place = zone(series.time_zone)
    return end_after(Moment(wall_clock(start, place)), start, end, Place(place.key, place))
