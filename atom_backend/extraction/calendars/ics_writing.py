"""Writes events as iCalendar (RFC 5545).

Invariant: ``icalendar.read_calendar`` makes of what is written here the same events again; only
an event of whole days, which has no zone in iCalendar, is then reckoned in the reader's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone
from icalendar import Event as Component
from icalendar.prop import vCalAddress, vDate, vDatetime, vInline, vText

from atom_backend.domain.calendar.events import Event, EventStatus, Override
from atom_backend.domain.calendar.local_time import aware, wall_clock, zone
from atom_backend.domain.calendar.series import Series
from atom_backend.extraction.calendars.ics_people import written

PRODUCT = "-//Atom Backend//Calendar//EN"
_END = b"END:VCALENDAR\r\n"

T = TypeVar("T")
Written = vText | vDate | vDatetime | vInline | vCalAddress


def write_calendars(
    events: Iterable[tuple[str, Event]], *, written_at: datetime
) -> Iterator[bytes]:
    """A VCALENDAR for each calendar name, in UTF-8, of events with their UIDs, piece by piece.

    Events of one calendar stand together. ``written_at`` is the DTSTAMP. The events pass
    ``event_checks``; the reader names the zone of whole days and floating times, which are
    written without.
    """
    none = True
    for name, group in groupby(events, key=lambda pair: pair[1].calendar):
        none = False
        yield from _calendar(name, group, written_at)
    if none:
        yield from _calendar(None, (), written_at)


def _calendar(
    name: str | None, events: Iterable[tuple[str, Event]], written_at: datetime
) -> Iterator[bytes]:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if name is not None:
        calendar.add("x-wr-calname", name)
    yield _lines(calendar).removesuffix(_END)
    defined = set[str]()
    for uid, event in events:
        if _names_zone(event) and event.time_zone not in defined:
            defined.add(event.time_zone)
            yield _lines(_definition(event.time_zone))
        for component in _components(uid, event):
            _set(component, "DTSTAMP", vDatetime(written_at.astimezone(UTC)))
            yield _lines(component)
    yield _END


def _lines(component: Calendar | Timezone | Component) -> bytes:
    return bytes(component.to_ical(sorted=False))


def _components(uid: str, event: Event) -> Iterator[Component]:
    """The series, and each instance that differs from it."""
    component = _single(uid, event)
    if event.recurrence is not None:
        _set(component, "RRULE", vInline(event.recurrence))
    for name, dates in (("RDATE", event.added), ("EXDATE", event.exceptions)):
        for one in dates:
            _set(component, name, _time(one, event))
    yield component
    series = Series.of(event)
    for override in event.overrides:
        instance = _single(uid, _instance(event, override, series))
        _set(instance, "RECURRENCE-ID", _time(override.original_start, event))
        yield instance


def _instance(event: Event, override: Override, series: Series) -> Event:
    """An instance as an event by itself."""
    original = override.original_start
    return Event(
        title=_own(override.title, event.title),
        starts_at=_own(override.starts_at, original),
        ends_at=_own(override.ends_at, series.end(original.astimezone(UTC))),
        time_zone=event.time_zone,
        all_day=_own(override.all_day, event.all_day),
        floating=event.floating,
        description=_own(override.description, event.description),
        location=_own(override.location, event.location),
        attendees=_own(override.attendees, event.attendees),
        status=EventStatus.CANCELLED if override.cancelled else _own(override.status, event.status),
        transparent=_own(override.transparent, event.transparent),
    )


def _own(own: T | None, shared: T) -> T:
    return shared if own is None else own


def _single(uid: str, event: Event) -> Component:
    component = Component()
    _set(component, "UID", vText(uid))
    for name, text in (
        ("SUMMARY", event.title),
        ("DESCRIPTION", event.description),
        ("LOCATION", event.location),
    ):
        if text:
            _set(component, name, vText(text))
    _set(component, "DTSTART", _time(event.starts_at, event))
    if event.ends_at != event.starts_at:
        _set(component, "DTEND", _time(event.ends_at, event))
    _set(component, "STATUS", vText(event.status.name))
    _set(component, "TRANSP", vText("TRANSPARENT" if event.transparent else "OPAQUE"))
    for attendee in event.attendees:
        _set(component, "ATTENDEE", written(attendee))
    return component


def _set(component: Component, name: str, value: Written) -> None:
    """Adds a property as it is: the library's own encoding takes some zones for UTC."""
    component.add(name, value, encode=False)


def _time(instant: datetime, event: Event) -> vDate | vDatetime:
    """A date, a time on the wall, or one in UTC where the wall would not tell which is meant."""
    place = zone(event.time_zone)
    local = wall_clock(instant, place)
    if event.all_day:
        return vDate(local.date(), params={"VALUE": "DATE"})
    if event.floating:
        return vDatetime(local)
    if event.time_zone == "UTC" or aware(local, place) != instant:
        return vDatetime(instant.astimezone(UTC))
    zoned = vDatetime(local)
    zoned.params["TZID"] = event.time_zone
    return zoned


def _names_zone(event: Event) -> bool:
    return not event.all_day and not event.floating and event.time_zone != "UTC"


@lru_cache(maxsize=64)
def _definition(name: str) -> Timezone:
    """The VTIMEZONE of a zone, from 1970 to 2037; readers that know its name need none."""
    return Timezone.from_tzinfo(ZoneInfo(name), tzid=name)
