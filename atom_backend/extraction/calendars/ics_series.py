"""Puts the VEVENTs of one UID together: the series, and the instances that differ from it.

Invariant: the event that comes out passes ``event_checks``. An instance that cannot be read
refuses its series: without it, the series would say what nobody planned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from atom_backend.domain.calendar.calendar_files import ImportedEvent, RefusedComponent
from atom_backend.domain.calendar.event_checks import MOST_OVERRIDES, problems
from atom_backend.domain.calendar.events import Event, EventStatus, Override
from atom_backend.domain.calendar.occurrences import unknown_starts
from atom_backend.domain.calendar.series import Series
from atom_backend.extraction.calendars.ics_components import Component
from atom_backend.extraction.calendars.ics_events import single
from atom_backend.extraction.calendars.ics_instants import Reading, dates, start_in
from atom_backend.extraction.calendars.ics_times import moment
from atom_backend.extraction.calendars.ics_zones import Unreadable

_SEQUENCE = re.compile(r"[0-9]{1,9}")

Outcome = ImportedEvent | RefusedComponent

_DIFFERING = ("title", "description", "location", "attendees", "status", "transparent", "all_day")


def together(group: Sequence[Component], reading: Reading) -> Iterator[Outcome]:
    """What becomes of the VEVENTs of one UID."""
    instances = sorted((one for one in group if one.first("RECURRENCE-ID")), key=_age)
    masters = sorted((one for one in group if not one.first("RECURRENCE-ID")), key=_age)
    for older in masters[:-1]:
        yield refused(older, "another VEVENT with this UID is newer, or stands further below")
    if masters:
        yield _tried(masters[-1], reading, lambda it, own: _series(it, instances, own))
        return
    for instance in instances:
        yield _tried(instance, reading, _alone)


def refused(component: Component, reason: str) -> RefusedComponent:
    return RefusedComponent(component.name, component.line, reason)


def _tried(
    component: Component, reading: Reading, read: Callable[[Component, Reading], Event]
) -> Outcome:
    own = replace(reading, notes=[])
    try:
        event = _sound(read(component, own))
    except Unreadable as error:
        return refused(component, str(error))
    return ImportedEvent(event, component.line, tuple(own.notes))


def _sound(event: Event) -> Event:
    found = problems(event)
    if found:
        raise Unreadable("; ".join(f"{one.pointer[1:]}: {one.detail}" for one in found[:5]))
    return event


def _series(master: Component, instances: Sequence[Component], reading: Reading) -> Event:
    if len(instances) > MOST_OVERRIDES:
        raise Unreadable(f"more than {MOST_OVERRIDES} instances differ from their series")
    event = single(master, reading)
    added = list(dates(master, "RDATE", event, reading))
    left_out = {one.start for one in dates(master, "EXDATE", event, reading)}
    starts = sorted({one.start for one in added})
    series = _sound(replace(event, exceptions=tuple(sorted(left_out)), added=tuple(starts)))
    usual = Series.of(series)
    overrides = {
        one.start: Override(one.start, starts_at=one.start, ends_at=one.end)
        for one in added
        if one.end is not None and one.end != usual.end(one.start)
    }
    older = set()
    for instance in instances:
        try:
            override = _override(instance, series, usual, reading)
        except Unreadable as error:
            raise Unreadable(f"its instance on line {instance.line}: {error}") from None
        overrides[override.original_start] = override
        if _sequence(instance) < _sequence(master):
            older.add(override.original_start)
    return _fitted(series, overrides, older, reading)


def _fitted(
    series: Event, overrides: dict[datetime, Override], older: set[datetime], reading: Reading
) -> Event:
    """The series with its overrides, each of which stands on a start of the series."""
    left_out = set(series.exceptions)
    strangers = unknown_starts(series, overrides)
    gone = older & (strangers | left_out)
    kept = {start: one for start, one in overrides.items() if start not in gone}
    if gone:
        reading.note("instances that are older than their series, which lacks them, are not kept")
    if strangers - gone:
        reading.note("instances on dates that the series does not have are added to it")
    if kept.keys() & left_out:
        reading.note("instances that differ are kept though EXDATE names their dates")
    return replace(
        series,
        added=tuple(sorted({*series.added, *strangers} - gone)),
        exceptions=tuple(one for one in series.exceptions if one not in kept),
        overrides=tuple(kept[start] for start in sorted(kept)),
    )


def _override(instance: Component, series: Event, usual: Series, reading: Reading) -> Override:
    own = _instance(instance, replace(reading, home=series.time_zone))
    named = instance.first("RECURRENCE-ID")
    assert named is not None
    original = start_in(series, moment(named), reading)
    if own.status is EventStatus.CANCELLED is not series.status:
        return Override(original, cancelled=True)
    changes: dict[str, Any] = {
        name: getattr(own, name)
        for name in _DIFFERING
        if getattr(own, name) != getattr(series, name)
    }
    times = (own.starts_at, own.ends_at)
    if times != (original, usual.end(original)) or "all_day" in changes:
        changes |= {"starts_at": own.starts_at, "ends_at": own.ends_at}
    return Override(original, **changes)


def _instance(component: Component, reading: Reading) -> Event:
    named = component.first("RECURRENCE-ID")
    if named is not None and "RANGE" in named.parameters:
        raise Unreadable("RANGE is not supported: end the series there and begin another")
    own = single(component, reading)
    if own.recurrence is not None:
        reading.note("not kept: the RRULE of an instance")
    return replace(own, recurrence=None)


def _alone(instance: Component, reading: Reading) -> Event:
    """An instance whose series is not in the file, as an event with an identifier of its own."""
    own = _instance(instance, reading)
    reading.note("an instance of a series that is not in the file: kept as an event by itself")
    named = instance.first("RECURRENCE-ID")
    suffix = named.value.strip() if named else ""
    return replace(own, uid=f"{own.uid or ''}#{suffix}")


def _age(component: Component) -> tuple[int, str, int]:
    """Newer is greater: RFC 5545, sections 3.8.7.4 and 3.8.7.2; then what stands further below."""
    stamp = component.first("DTSTAMP")
    return _sequence(component), stamp.value.strip() if stamp else "", component.line


def _sequence(component: Component) -> int:
    given = component.first("SEQUENCE")
    number = given.value.strip() if given else ""
    return int(number) if _SEQUENCE.fullmatch(number) else 0
