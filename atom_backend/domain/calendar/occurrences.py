"""The occurrences of an event between two instants, and the time that events keep busy.

Occurrences keep the clock on the wall across daylight saving (RFC 5545, section 3.8.5.3).
Invariant: nothing here walks further than the question reaches: a series costs what lies between
``start`` and ``end``, at most ``limit`` occurrences, and its own list of exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from atom_backend.domain.calendar.events import Event, EventStatus, Override
from atom_backend.domain.calendar.local_time import with_offset
from atom_backend.domain.calendar.recurrence_rules import times_a_day
from atom_backend.domain.calendar.series import Series
from atom_backend.errors import InvalidInput

EARLIEST = datetime(1583, 1, 1, tzinfo=UTC)
"""The first whole year of the Gregorian calendar."""

LATEST = datetime(2500, 1, 1, tzinfo=UTC)
"""No event begins or ends later; it leaves room for what series need at the end of time."""

MOST_OCCURRENCES = 10_000
"""Of one event in one answer."""

MOST_BUSY = 50_000
"""Occurrences that one question for busy time may touch."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instance; all times have the offset of the event's zone.

    ``original_start`` is where the rule put it: the name of the instance within its series.
    """

    start: datetime
    end: datetime
    original_start: datetime
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of time ``[start, end)``, in UTC."""

    start: datetime
    end: datetime


def occurrences(
    event: Event,
    start: datetime,
    end: datetime,
    limit: int,
    *,
    since: datetime = EARLIEST,
    status: EventStatus | None = None,
) -> list[Occurrence]:
    """The first ``limit`` occurrences that share time with [start, end), by start.

    One without length counts where it stands. Cancelled instances are none; those of a cancelled
    event are. Only those count that begin at ``since`` or later and have the ``status``. Ask for
    one more than is shown to learn whether there are more.
    """
    low, high = max(start, EARLIEST), min(end, LATEST)
    limit = min(limit, MOST_OCCURRENCES)
    if low >= high or limit <= 0:
        return []
    series = Series.of(event)
    found = [
        one
        for one in _overridden(series, low, high)
        if one.start >= since and status in (None, status_of(event, one))
    ]
    if status in (None, event.status):
        found += islice(_plain(series, low, high, since), limit + _out_of_order(series))
    found.sort(key=lambda one: (one.start, one.original_start))
    return found[:limit]


def busy(events: Iterable[Event], start: datetime, end: datetime) -> list[Interval]:
    """The time in [start, end) that the events take, merged and in order.

    What is cancelled or transparent takes none. Raises InvalidInput ``too_many_occurrences``.
    """
    taken: list[Interval] = []
    left = MOST_BUSY
    for event in events:
        found = occurrences(event, start, end, min(left + 1, MOST_OCCURRENCES))
        left -= len(found)
        if left < 0 or len(found) == MOST_OCCURRENCES:
            raise InvalidInput(
                f"More than {MOST_OCCURRENCES} occurrences of one event, or {MOST_BUSY} of all, "
                "lie between these times: ask for a shorter period.",
                code="too_many_occurrences",
            )
        taken += [
            Interval(max(one.start, start).astimezone(UTC), min(one.end, end).astimezone(UTC))
            for one in found
            if _takes_time(event, one)
        ]
    return _merged(taken)


def status_of(event: Event, occurrence: Occurrence) -> EventStatus:
    """Its own status, or that of its series."""
    own = occurrence.override and occurrence.override.status
    return own or event.status


def unknown_starts(event: Event, starts: Iterable[datetime]) -> set[datetime]:
    """Those of ``starts`` at which the series of the event has no occurrence."""
    series = Series.of(event)
    wanted = {start.astimezone(UTC) for start in starts if EARLIEST <= start < LATEST}
    strangers = {start for start in starts if not EARLIEST <= start < LATEST}
    if wanted and series.counted:
        # A series with COUNT is walked from its first start, so once for all.
        return strangers | (wanted - set(series.starts(min(wanted), max(wanted) + _MOMENT)))
    known = (set(series.starts(one, one + _MOMENT)) for one in wanted)
    return strangers | wanted.difference(*known)


_MOMENT = timedelta(microseconds=1)


def _out_of_order(series: Series) -> int:
    """Starts that may stand in the wrong order: those of the day when clocks are put forward."""
    return 0 if series.rule is None else times_a_day(series.rule) + len(series.added)


def _plain(series: Series, low: datetime, high: datetime, since: datetime) -> Iterator[Occurrence]:
    """The occurrences that no exception and no override touches."""
    touched = series.exceptions | series.overrides.keys()
    for start in series.starts(max(low - series.longest, since), high):
        end = series.end(start)
        if start not in touched and _meets(start, end, low, high):
            yield _occurrence(series, start, end, start, None)


def _overridden(series: Series, low: datetime, high: datetime) -> Iterator[Occurrence]:
    for original, override in series.overrides.items():
        start = override.starts_at or original
        end = override.ends_at or series.end(original)
        kept = not override.cancelled and original not in series.exceptions
        if kept and _meets(start, end, low, high):
            yield _occurrence(series, start, end, original, override)


def _meets(start: datetime, end: datetime, low: datetime, high: datetime) -> bool:
    return start < high and (end > low or start >= low)


def _occurrence(
    series: Series,
    start: datetime,
    end: datetime,
    original: datetime,
    override: Override | None,
) -> Occurrence:
    place = series.place
    return Occurrence(
        with_offset(start, place),
        with_offset(end, place),
        with_offset(original, place),
        override,
    )


def _takes_time(event: Event, occurrence: Occurrence) -> bool:
    transparent = event.transparent
    if occurrence.override is not None and occurrence.override.transparent is not None:
        transparent = occurrence.override.transparent
    return (
        status_of(event, occurrence) is not EventStatus.CANCELLED
        and not transparent
        and occurrence.start < occurrence.end
    )


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals that touch or overlap become one."""
    merged: list[Interval] = []
    for one in sorted(intervals, key=lambda interval: interval.start):
        if merged and one.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, one.end))
        else:
            merged.append(one)
    return merged
