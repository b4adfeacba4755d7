"""What an event must be before it is stored, whichever way it came in.

Invariant: what passes can be kept by PostgreSQL, unrolled within the bounds of ``occurrences``
and written as iCalendar; what does not is told with everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from atom_backend.domain.calendar.events import Attendee, Event, EventStatus, Override
from atom_backend.domain.calendar.local_time import known_zone, midnight, wall_clock, zone
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST, unknown_starts
from atom_backend.domain.calendar.recurrence import check
from atom_backend.domain.calendar.recurrence_rules import read
from atom_backend.domain.calendar.series import over
from atom_backend.domain.limits import NAME_CHARS, TITLE_CHARS, unstorable
from atom_backend.errors import FieldProblem

DESCRIPTION_CHARS = 100_000
MOST_ATTENDEES = 1_000
MOST_DATES = 5_000
"""Exceptions, and added dates: fourteen years of days."""

MOST_OVERRIDES = 1_000
LONGEST_REPEATED = timedelta(days=366)
"""A series whose instances last longer would overlap itself more often than anyone can want."""

_HOURS = {"BYHOUR", "BYMINUTE", "BYSECOND"}

Problems = Iterator[tuple[str, str | None]]


def problems(event: Event) -> tuple[FieldProblem, ...]:
    """All that is wrong with the event, each at its place; nothing when it may be stored."""
    found = _told([*_texts(event), *_people("", event.attendees), *_spans(event)])
    if not known_zone(event.time_zone):
        detail = "must be a name of the IANA time zone database, such as Europe/Berlin or UTC"
        return (*found, FieldProblem("/time_zone", detail))
    if found:
        return found
    place = zone(event.time_zone)
    found = _told([*_days(event, place), *_rule(event, place)])
    return found or _told(_instances(event))


def _told(problems: Problems | list[tuple[str, str | None]]) -> tuple[FieldProblem, ...]:
    return tuple(FieldProblem(f"/{name}", detail) for name, detail in problems if detail)


def _texts(event: Event) -> Problems:
    yield from _words("", event)
    for name, value in (("calendar", event.calendar), ("uid", event.uid)):
        if value is not None:
            yield name, _text(value, NAME_CHARS) or (None if value.strip() else "must not be blank")
    for place, override in enumerate(event.overrides):
        yield from _words(f"overrides/{place}/", override)
        yield from _people(f"overrides/{place}/", override.attendees or ())


def _words(prefix: str, given: Event | Override) -> Problems:
    yield f"{prefix}title", _text(given.title or "", TITLE_CHARS)
    yield f"{prefix}location", _text(given.location or "", TITLE_CHARS)
    yield f"{prefix}description", _text(given.description or "", DESCRIPTION_CHARS)


def _text(text: str, longest: int) -> str | None:
    return f"at most {longest} characters" if len(text) > longest else unstorable(text)


def _people(prefix: str, attendees: tuple[Attendee, ...]) -> Problems:
    if len(attendees) > MOST_ATTENDEES:
        yield f"{prefix}attendees", f"at most {MOST_ATTENDEES} attendees"
    for place, one in enumerate(attendees):
        address = _text(one.address, NAME_CHARS)
        if not one.address.strip() or not one.address.isprintable():
            # A line end in it would begin a property of its own in a calendar file.
            address = address or "must not be blank nor contain control characters"
        yield f"{prefix}attendees/{place}/address", address
        yield f"{prefix}attendees/{place}/name", _text(one.name or "", NAME_CHARS)


def _spans(event: Event) -> Problems:
    yield from _span("", event.starts_at, event.ends_at)
    for name, dates in (("exceptions", event.exceptions), ("added", event.added)):
        if len(dates) > MOST_DATES:
            yield name, f"at most {MOST_DATES} dates"
        for place, date in enumerate(dates):
            yield f"{name}/{place}", _moment(date)
    if len(event.overrides) > MOST_OVERRIDES:
        yield "overrides", f"at most {MOST_OVERRIDES} instances can differ from their series"
    for place, one in enumerate(event.overrides):
        yield f"overrides/{place}/original_start", _moment(one.original_start)
        if one.status is EventStatus.CANCELLED:
            yield f"overrides/{place}/status", "an instance is cancelled by its field cancelled"
        yield from _moved(f"overrides/{place}/", one)


def _moved(prefix: str, override: Override) -> Problems:
    if override.starts_at is not None and override.ends_at is not None:
        yield from _span(prefix, override.starts_at, override.ends_at)
    elif override.starts_at is not None or override.ends_at is not None:
        yield f"{prefix}ends_at", "must be given together with starts_at"


def _span(prefix: str, start: datetime, end: datetime) -> Problems:
    wrong = [(name, _moment(one)) for name, one in (("starts_at", start), ("ends_at", end))]
    yield from ((f"{prefix}{name}", detail) for name, detail in wrong)
    if not any(detail for _, detail in wrong) and end < start:
        yield f"{prefix}ends_at", "must not lie before starts_at"


def _moment(moment: datetime) -> str | None:
    if moment.tzinfo is None:
        return "must have an offset from UTC"
    if not EARLIEST <= moment < LATEST:
        return f"must lie in the years from {EARLIEST.year} to {LATEST.year - 1}"
    return None


def _days(event: Event, place: ZoneInfo) -> Problems:
    """What lasts whole days begins and ends with days."""
    if event.all_day:
        yield from _whole_days("", event.starts_at, event.ends_at, place)
        for number, added in enumerate(event.added):
            yield f"added/{number}", _within_a_day(added, place)
    for number, one in enumerate(event.overrides):
        whole = event.all_day if one.all_day is None else one.all_day
        if one.starts_at is not None and one.ends_at is not None and whole:
            yield from _whole_days(f"overrides/{number}/", one.starts_at, one.ends_at, place)
        elif whole != event.all_day and one.starts_at is None:
            yield f"overrides/{number}/all_day", "needs starts_at and ends_at of its own"


def _whole_days(prefix: str, start: datetime, end: datetime, place: ZoneInfo) -> Problems:
    yield f"{prefix}starts_at", _within_a_day(start, place)
    yield f"{prefix}ends_at", _within_a_day(end, place)
    if start == end:
        yield f"{prefix}ends_at", "must be the day after the last one"


def _within_a_day(moment: datetime, place: ZoneInfo) -> str | None:
    if midnight(wall_clock(moment, place).date(), place) == moment:
        return None
    return f"an event of whole days begins and ends at midnight in {place.key}"


def _rule(event: Event, place: ZoneInfo) -> Problems:
    if event.recurrence is None:
        return
    first = wall_clock(event.starts_at, place)
    try:
        rule = read(event.recurrence)
        check(rule, first)
    except ValueError as error:
        yield "recurrence", str(error)
        return
    by_hours = rule.frequency in ("HOURLY", "MINUTELY") or rule.by.keys() & _HOURS
    if event.all_day and by_hours:
        yield "recurrence", "an event of whole days cannot repeat by hours or minutes"
    if over(rule.until, first, event.starts_at):
        yield "recurrence", "UNTIL lies before the start"
    if event.ends_at - event.starts_at > LONGEST_REPEATED:
        yield "ends_at", f"an event that repeats lasts at most {LONGEST_REPEATED.days} days"


def _instances(event: Event) -> Problems:
    originals = [one.original_start for one in event.overrides]
    strangers = unknown_starts(event, originals)
    excluded, seen = set(event.exceptions), set[datetime]()
    for place, start in enumerate(originals):
        name = f"overrides/{place}/original_start"
        if start in strangers:
            yield name, "the event has no occurrence that begins then"
        if start in excluded:
            yield name, "is an exception as well: it cannot both be left out and differ"
        if start in seen:
            yield name, "is given twice"
        seen.add(start)
