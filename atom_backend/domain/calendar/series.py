"""Where the instances of one event would begin and end, before exceptions and overrides.

Invariant: every instant here is in UTC, so that starts from a rule, from lists and from overrides
are one and the same where they mean the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from zoneinfo import ZoneInfo

from atom_backend.domain.calendar.events import Event, Override
from atom_backend.domain.calendar.local_time import aware, wall_clock, zone
from atom_backend.domain.calendar.recurrence import starts
from atom_backend.domain.calendar.recurrence_rules import RecurrenceRule, read

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """An event unfolded; one without a rule is a series of one and of what was added.

    An instance lasts ``days`` by the calendar and then ``rest`` by the stopwatch, as a DURATION
    does (RFC 5545, section 3.3.6): from midnight to midnight it stays whole days, and a night
    train of eight hours stays eight hours when the clocks change under it.
    """

    place: ZoneInfo
    first: datetime
    rule: RecurrenceRule | None
    added: frozenset[datetime]
    exceptions: frozenset[datetime]
    overrides: Mapping[datetime, Override]
    days: int
    rest: timedelta

    @classmethod
    def of(cls, event: Event) -> Series:
        """Raises InvalidInput for an unknown zone and ValueError for a rule that cannot be read."""
        place = zone(event.time_zone)
        days, rest = _length(event, place)
        return cls(
            place=place,
            first=event.starts_at.astimezone(UTC),
            rule=read(event.recurrence) if event.recurrence is not None else None,
            added=frozenset(one.astimezone(UTC) for one in event.added),
            exceptions=frozenset(one.astimezone(UTC) for one in event.exceptions),
            overrides={one.original_start.astimezone(UTC): one for one in event.overrides},
            days=days,
            rest=rest,
        )

    @property
    def counted(self) -> bool:
        return self.rule is not None and self.rule.count is not None

    @property
    def longest(self) -> timedelta:
        """No instance lasts longer: a day of the calendar may have more than 24 hours."""
        return (self.days + 1) * _DAY + self.rest

    def starts(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """The starts in [low, high), each once; in order but for changes of the clock."""
        seen = set()
        for start in merge(sorted({self.first, *self.added}), self._by_rule(low, high)):
            if low <= start < high and start not in seen:
                seen.add(start)
                yield start

    def end(self, start: datetime) -> datetime:
        """When the instance ends that begins at ``start``."""
        if self.days:
            start = aware(wall_clock(start, self.place) + self.days * _DAY, self.place)
        return start + self.rest

    def _by_rule(self, low: datetime, high: datetime) -> Iterator[datetime]:
        if self.rule is None:
            return
        first = wall_clock(self.first, self.place)
        # A day more on both sides: no clock is put forward or back further than that.
        early, late = wall_clock(low, self.place) - _DAY, wall_clock(high, self.place) + _DAY
        for local in starts(self.rule, first, early, late):
            start = self.first if local == first else aware(local, self.place)
            if over(self.rule.until, local, start):
                return
            yield start


def over(until: datetime | date | None, local: datetime, instant: datetime) -> bool:
    """Whether UNTIL, which is inclusive, lies before a start."""
    if until is None:
        return False
    if not isinstance(until, datetime):
        return local.date() > until
    return instant > until if until.tzinfo else local > until


def _length(event: Event, place: ZoneInfo) -> tuple[int, timedelta]:
    first, last = wall_clock(event.starts_at, place), wall_clock(event.ends_at, place)
    days = (last.date() - first.date()).days
    if days and aware(first + days * _DAY, place) > event.ends_at:
        days -= 1
    if not days:
        return 0, event.ends_at.astimezone(UTC) - event.starts_at.astimezone(UTC)
    return days, event.ends_at.astimezone(UTC) - aware(first + days * _DAY, place)
