"""The stretch of time outside of which nothing of an event takes place.

It is stored beside the event, so that a question about some days reads only events that may have
an instance there. Invariant: no instance reaches out of it; it may be wider than the instances are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from atom_backend.domain.calendar.events import Event
from atom_backend.domain.calendar.local_time import aware, wall_clock
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST
from atom_backend.domain.calendar.series import Series

_MOMENT = timedelta(microseconds=1)
_FURTHEST_ZONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open, in UTC, and never empty; a series that does not end, ends at ``LATEST``."""

    start: datetime
    end: datetime


def span(event: Event) -> Span:
    """Of an event that passes ``event_checks``."""
    series = Series.of(event)
    stretches = list(_stretches(series))
    start = min(one.start for one in stretches)
    end = min(max(one.end for one in stretches), LATEST)
    # An instance without length takes place, too.
    return Span(start, max(end, start + _MOMENT))


def _stretches(series: Series) -> Iterator[Span]:
    for start in {series.first, *series.added}:
        yield Span(start, max(series.end(start), start + _MOMENT))
    for override in series.overrides.values():
        if override.starts_at is not None and override.ends_at is not None:
            start, end = override.starts_at.astimezone(UTC), override.ends_at.astimezone(UTC)
            yield Span(start, max(end, start + _MOMENT))
    if series.rule is not None:
        # Of a time that clocks show twice a rule means the first, though the series may begin
        # with the second.
        first = min(series.first, aware(wall_clock(series.first, series.place), series.place))
        yield Span(first, _last_start(series) + series.longest + _MOMENT)


def _last_start(series: Series) -> datetime:
    """Nothing that the rule gives begins later."""
    assert series.rule is not None
    if series.counted:
        return max(series.starts(EARLIEST, LATEST), default=series.first)
    until = series.rule.until
    if until is None:
        return LATEST
    if not isinstance(until, datetime):
        until = _end_of(until)
    bound = until.replace(tzinfo=until.tzinfo or UTC)
    return min(bound, LATEST - series.longest) + _FURTHEST_ZONE


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max)
