"""From the names that calendar files give to time zones to the IANA database.

Names come as in the IANA database, as Windows calls its zones (mapped by the CLDR), behind the
prefix of a program, or as the file's own invention, which it then defines in a VTIMEZONE.
Invariant: a zone is taken for another only where names or clocks say so, and a note says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from atom_backend.domain.calendar.local_time import aware, known_zone
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST
from atom_backend.domain.calendar.recurrence import check
from atom_backend.domain.calendar.recurrence_rules import read
from atom_backend.extraction.calendars.ics_components import Component

YEARS_COMPARED = 5
"""Clocks that agree for so long from the start of a series on are taken for the same."""

MOST_COMPARED = 64
"""Comparisons for a file: each takes a tenth of a second."""

MOST_OBSERVANCES = 200
_DATE_TIME = re.compile(r"([0-9]{8})(?:(T[0-9]{6})Z?)?")
_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-5])[0-5][0-9](?:[0-5][0-9])?")
_MINUTE, _WEEK = timedelta(minutes=1), timedelta(weeks=1)


class Unreadable(Exception):
    """Why something cannot be imported, in words for whoever sent it; never quotes a text."""


@dataclass(frozen=True, slots=True)
class Place:
    """A zone: its IANA name, or ``None`` with the clock that the file defines."""

    name: str | None
    clock: tzinfo
    note: str | None = None

    def instant(self, local: datetime) -> datetime:
        """In UTC, by the rule of ``local_time.aware``. Raises Unreadable."""
        try:
            if isinstance(self.clock, ZoneInfo):
                return aware(local, self.clock)
            return local.replace(tzinfo=self.clock, fold=0).astimezone(UTC)
        except OverflowError:
            raise Unreadable("a time lies at the end of the calendar") from None


UTC_PLACE = Place("UTC", ZoneInfo("UTC"))


@dataclass(slots=True)
class Zones:
    """The zones of one calendar; ``definitions`` are its VTIMEZONEs by their TZID."""

    definitions: Mapping[str, Component]
    _known: dict[str, Place] = field(default_factory=dict)
    _alike: dict[tuple[str, int], Place | None] = field(default_factory=dict)

    def named(self, tzid: str) -> Place:
        """The zone that a TZID means. Raises Unreadable where nothing says so."""
        if tzid not in self._known:
            self._known[tzid] = self._found(tzid)
        return self._known[tzid]

    def like(self, tzid: str, year: int) -> Place:
        """A named zone for one that the file defines, for a series that begins in ``year``."""
        if not EARLIEST.year <= year < LATEST.year:
            raise Unreadable(f"DTSTART must lie in the years {EARLIEST.year} to {LATEST.year - 1}")
        if (tzid, year) not in self._alike:
            if len(self._alike) == MOST_COMPARED:
                raise Unreadable("the file defines too many time zones of its own")
            self._alike[tzid, year] = _alike(self.named(tzid).clock, year)
        found = self._alike[tzid, year]
        if found is None:
            raise Unreadable(
                "it repeats in a time zone of its own, which no zone of the IANA is like"
            )
        return found

    def _found(self, tzid: str) -> Place:
        if known_zone(tzid):
            return Place(tzid, ZoneInfo(tzid))
        name = _meant(tzid)
        if name is not None:
            note = f"the time zone {tzid[:80]!r} is kept as {name}"
            return Place(name, ZoneInfo(name), note)
        if tzid not in self.definitions:
            raise Unreadable("its time zone is not known, and the file does not define it")
        return Place(None, _clock(self.definitions[tzid]))


def _alike(clock: tzinfo, year: int) -> Place | None:
    """The IANA zone whose clocks agree with this one for years from the beginning of ``year`` on.

    The candidates are the zones that the CLDR names for those of Windows: one for each way to set
    clocks that is in use.
    """
    samples = [(one, _offset(clock, one)) for one in _telling_times(clock, year)]
    for name in ("UTC", *sorted(set(WINDOWS_TO_OLSON.values()))):
        if not known_zone(name):
            continue
        other = ZoneInfo(name)
        if all(_offset(other, one) == offset for one, offset in samples):
            years = f"{year} to {year + YEARS_COMPARED - 1}"
            note = f"the time zone of the file is kept as {name}: the clocks agree in {years}"
            return Place(name, other, note)
    return None


def _meant(tzid: str) -> str | None:
    """An IANA name for one that is written otherwise."""
    plain = tzid.strip().strip("/")
    windows = WINDOWS_TO_OLSON.get(plain)
    if windows is not None and known_zone(windows):
        return windows
    if tzid.startswith(("/", "posix/")):
        # RFC 5545, section 3.2.19: a program's own prefix, and mostly an IANA name behind it.
        parts = plain.split("/")
        names = ("/".join(parts[place:]) for place in range(min(len(parts), 8)))
        return next(filter(known_zone, names), None)
    return plain if known_zone(plain) else None


def _clock(definition: Component) -> tzinfo:
    """What a VTIMEZONE says (RFC 5545, section 3.6.5), read by python-dateutil."""
    observances = [one for one in definition.children if one.name in ("STANDARD", "DAYLIGHT")]
    if not 0 < len(observances) <= MOST_OBSERVANCES or definition.faults:
        raise Unreadable("its time zone is not defined as RFC 5545, section 3.6.5 has it")
    lines = ["BEGIN:VTIMEZONE", "TZID:zone"]
    try:
        for one in observances:
            lines += [f"BEGIN:{one.name}", *_observance(one), f"END:{one.name}"]
        clock = tzical(StringIO("\n".join([*lines, "END:VTIMEZONE"]))).get()
    except (ValueError, OverflowError):
        raise Unreadable("its time zone is not defined as RFC 5545, section 3.6.5 has it") from None
    assert isinstance(clock, tzinfo)
    return clock


def _observance(component: Component) -> Iterator[str]:
    """The lines that count. Raises ValueError."""
    given = _matched(_DATE_TIME, component, "DTSTART")
    start = given[1] + (given[2] or "T000000")
    yield f"DTSTART:{start}"
    for name in ("TZOFFSETFROM", "TZOFFSETTO"):
        yield f"{name}:{_matched(_OFFSET, component, name)[0]}"
    for rule in component.all("RRULE")[:1]:
        read_rule = read(rule.value)
        if read_rule.frequency != "YEARLY":
            raise ValueError("clocks are changed by the year")
        check(read_rule, datetime.strptime(start, "%Y%m%dT%H%M%S"))
        yield f"RRULE:{rule.value.upper()}"
    dates = [date for one in component.all("RDATE") for date in one.value.split(",")]
    for date in dates[:MOST_OBSERVANCES]:
        match = _DATE_TIME.fullmatch(date)
        if match is None:
            raise ValueError("RDATE")
        yield f"RDATE:{match[1]}{match[2] or 'T000000'}"


def _matched(pattern: re.Pattern[str], component: Component, name: str) -> re.Match[str]:
    found = component.first(name)
    match = pattern.fullmatch(found.value) if found else None
    if match is None:
        raise ValueError(name)
    return match


def _telling_times(clock: tzinfo, year: int) -> Iterator[datetime]:
    """Every week of the years compared, and the minutes around every change of the clock."""
    late = datetime(year, 1, 1, tzinfo=UTC)
    for _ in range(YEARS_COMPARED * 52):
        early, late = late, late + _WEEK
        yield early
        if _offset(clock, early) != _offset(clock, late):
            yield from _change(clock, early, late)


def _change(clock: tzinfo, before: datetime, after: datetime) -> tuple[datetime, datetime]:
    """The last instant before the change between the two and the first one after, to a minute."""
    old = _offset(clock, before)
    while after - before > _MINUTE:
        middle = before + (after - before) / 2
        if _offset(clock, middle) == old:
            before = middle
        else:
            after = middle
    return before, after


def _offset(clock: tzinfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(clock).utcoffset()
