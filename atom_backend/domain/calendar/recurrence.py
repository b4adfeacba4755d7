"""Unrolls recurrence rules between two times, on the clock of the wall (RFC 5545, section 3.8.5.3).

python-dateutil unrolls. By itself it walks from the first occurrence on, and where a rule never
comes true up to the year 9999; both would take seconds.
Invariant: unrolling begins shortly before the times that are asked for, in a late year that is
like the first one, so that little is left to walk through in vain.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from dateutil import rrule as dateutil

from atom_backend.domain.calendar.recurrence_rules import RecurrenceRule

_UNITS = {
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
}
_DAY_PARTS = ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY")

_CYCLE = 400
"""Years after which the Gregorian calendar repeats, weekdays and all."""

_CYCLE_LENGTH = timedelta(days=146_097)
_LAST_CYCLE = 9999 - _CYCLE


def check(rule: RecurrenceRule, first: datetime) -> None:
    """Raises ValueError where the rule does not come true in the 400 years from ``first``.

    A search by days is preceded by one by years, which is quicker.
    """
    searches = [_unrolled(rule, first, first)]
    if rule.frequency in _UNITS:
        days = {part: rule.by[part] for part in ("BYMONTH", *_DAY_PARTS) if part in rule.by}
        some_day = RecurrenceRule("YEARLY", weekdays=rule.weekdays, by=days)
        searches.insert(0, _unrolled(some_day, first, first))
    for search in searches:
        if next(search, None) is None:
            raise ValueError("never comes true: its parts contradict each other or its start")


def starts(
    rule: RecurrenceRule, first: datetime, low: datetime, high: datetime
) -> Iterator[datetime]:
    """The wall-clock starts in [low, high), ascending. ``UNTIL`` is left to the caller.

    ``first``, the start of the series, is the first occurrence even where it does not fit the
    rule, and COUNT counts it.
    """
    found = _counted(rule, first) if rule.count else _unbounded(rule, first, low)
    for start in found:
        if start >= high:
            return
        if start >= low:
            yield start


def _counted(rule: RecurrenceRule, first: datetime) -> Iterator[datetime]:
    yield first
    others = (start for start in _unrolled(rule, first, first) if start != first)
    yield from islice(others, (rule.count or 1) - 1)


def _unbounded(rule: RecurrenceRule, first: datetime, low: datetime) -> Iterator[datetime]:
    if low <= first:
        yield first
    begin = _shortly_before(rule, first, low)
    yield from (start for start in _unrolled(rule, begin, first) if start > first)


def _shortly_before(rule: RecurrenceRule, first: datetime, low: datetime) -> datetime:
    """A start from which the rule keeps step with ``first``, at least one interval before."""
    if low <= first:
        return first
    step = rule.interval
    match rule.frequency:
        case "YEARLY":
            years = (low.year - first.year - 1) // step * step
            return first.replace(year=first.year + years, month=1, day=1) if years > 0 else first
        case "MONTHLY":
            months = ((low.year - first.year) * 12 + low.month - first.month - 1) // step * step
            year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
            return first.replace(year=year, month=month + 1, day=1) if months > 0 else first
        case "WEEKLY":
            week = first - timedelta(days=(first.weekday() - rule.week_start) % 7)
            weeks = ((low - week) // timedelta(weeks=1) - 1) // step * step
            return week + timedelta(weeks=weeks) if weeks > 0 else first
        case _:
            unit = _UNITS[rule.frequency]
            units = ((low - first) // unit - 1) // step * step
            return first + unit * units if units > 0 else first


def _unrolled(rule: RecurrenceRule, begin: datetime, first: datetime) -> Iterator[datetime]:
    """The starts of 400 years from ``begin`` on, and of no more than 800.

    What the rule does not say is as in ``first``.
    """
    late = (_LAST_CYCLE - begin.year) // _CYCLE * _CYCLE_LENGTH
    parts: dict[str, Any] = {part.lower(): numbers for part, numbers in rule.by.items()}
    if rule.weekdays:
        parts["byweekday"] = [
            dateutil.weekday(one.day)(one.ordinal) if one.ordinal else one.day
            for one in rule.weekdays
        ]
    parts = _as_first(rule, first) | parts
    frequency = getattr(dateutil, rule.frequency)
    try:
        found = dateutil.rrule(
            frequency, begin + late, rule.interval, wkst=rule.week_start, **parts
        )
        yield from (start - late for start in found)
    except ValueError:
        # So it says that hours or minutes can never meet the interval.
        return


def _as_first(rule: RecurrenceRule, first: datetime) -> dict[str, Any]:
    """The parts that a rule without them takes from its first start."""
    if rule.weekdays or any(part in rule.by for part in _DAY_PARTS[1:]):
        return {}
    if "BYWEEKNO" in rule.by or rule.frequency == "WEEKLY":
        return {"byweekday": first.weekday()}
    match rule.frequency:
        case "YEARLY":
            return {"bymonth": first.month, "bymonthday": first.day}
        case "MONTHLY":
            return {"bymonthday": first.day}
        case _:
            return {}
