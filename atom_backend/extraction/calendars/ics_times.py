"""Reads the dates, times and lengths of calendar files (RFC 5545, sections 3.3.4 to 3.3.9).

Invariant: a value has exactly the form that the RFC gives it, or is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar.prop import vDuration

from atom_backend.extraction.calendars.ics_components import Property
from atom_backend.extraction.calendars.ics_zones import Unreadable

MOST_DATES = 10_000
"""In one line."""

_MOMENT = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_LENGTH = re.compile(r"\+?P(?:[0-9]{1,6}W|(?:[0-9]{1,6}D)?(?:T(?:[0-9]{1,9}[HMS]){1,3})?)")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a time: on the wall of ``tzid``, of nowhere (both None), or in UTC."""

    at: date
    tzid: str | None = None

    @property
    def whole_day(self) -> bool:
        return not isinstance(self.at, datetime)

    @property
    def in_utc(self) -> bool:
        return isinstance(self.at, datetime) and self.at.tzinfo is not None


@dataclass(frozen=True, slots=True)
class Length:
    """``days`` by the calendar, ``rest`` by the stopwatch (section 3.3.6)."""

    days: int
    rest: timedelta


def moment(given: Property) -> Moment:
    """Raises Unreadable."""
    return _moment(given, given.value.strip())


def moments(given: Property) -> list[tuple[Moment, Moment | Length | None]]:
    """The dates of an EXDATE or RDATE, each with the end that a PERIOD has. Raises Unreadable."""
    values = [value.strip() for value in given.value.split(",", MOST_DATES)]
    if len(values) > MOST_DATES:
        raise Unreadable(f"{given.name} has more than {MOST_DATES} dates in a line")
    found: list[tuple[Moment, Moment | Length | None]] = []
    for value in filter(None, values):
        start, slash, end = value.partition("/")
        if not slash:
            found.append((_moment(given, start), None))
        elif "P" in end:
            found.append((_moment(given, start), _length(given, end)))
        else:
            found.append((_moment(given, start), _moment(given, end)))
    return found


def length(given: Property) -> Length:
    """Raises Unreadable, also where it is negative."""
    return _length(given, given.value.strip())


def _moment(given: Property, value: str) -> Moment:
    match = _MOMENT.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        day = datetime.strptime(match[1], "%Y%m%d")
        if match[2] is None:
            return Moment(day.date())
        at = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
    except ValueError:
        raise Unreadable(
            f"{given.name} is no date such as 20301231 and no time such as 20301231T235959"
        ) from None
    if match[3]:
        at = at.replace(tzinfo=UTC)
    return Moment(at, given.parameters.get("TZID") or None)


def _length(given: Property, value: str) -> Length:
    calendar, _, stopwatch = value.upper().partition("T")
    if not _LENGTH.fullmatch(value.upper()) or not (calendar.strip("+P") or stopwatch):
        raise Unreadable(f"{given.name} is no length of time such as PT1H30M or P2D")
    days = vDuration.from_ical(calendar) if calendar.strip("+P") else timedelta(0)
    rest = vDuration.from_ical(f"PT{stopwatch}") if stopwatch else timedelta(0)
    if days > timedelta(days=400_000) or rest > timedelta(days=400_000):
        raise Unreadable(f"{given.name} is longer than a thousand years")
    return Length(days.days, rest)
