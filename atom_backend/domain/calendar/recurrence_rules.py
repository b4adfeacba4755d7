"""Recurrence rules (RRULE: RFC 5545, section 3.3.10) as values, read strictly from their text.

Invariant: what is read here keeps to the grammar and to the table of section 3.3.10, and is so
small that it is unrolled quickly; nothing is guessed, skipped or read twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

LONGEST = 512
"""Characters of a rule: the longest of RFC 5545 has 90."""

MOST_COUNTED = 10_000
"""Occurrences of a rule with COUNT: they are counted from the first on, whatever is asked for."""

LARGEST_INTERVAL = 10_000
MOST_TIMES_A_DAY = 24 * 60

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_LIMITS = {
    "BYSECOND": (0, 59),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}
_NEVER_WITH = {
    "BYWEEKNO": ("MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"),
    "BYYEARDAY": ("MONTHLY", "WEEKLY", "DAILY"),
    "BYMONTHDAY": ("WEEKLY",),
}
_NAMES = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_LIMITS}
_INTEGER = re.compile(r"[+-]?[0-9]{1,5}")
_BYDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


@dataclass(frozen=True, slots=True, order=True)
class Weekday:
    """``day``: 0 is Monday. ``ordinal``: which one of its month or year, 0 for every one."""

    day: int
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """``until`` is an instant in UTC, or a date or wall-clock time in the zone of the series."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | date | None = None
    week_start: int = 0
    weekdays: tuple[Weekday, ...] = ()
    by: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The other BY parts, by name."""


def plain(text: str) -> str:
    """The text in capital letters, without the name of its property and what ends it."""
    return text.strip().upper().removeprefix("RRULE:").removesuffix(";")


def read(text: str) -> RecurrenceRule:
    """The rule that a text such as ``FREQ=WEEKLY;BYDAY=MO`` says; its case does not matter.

    Raises ValueError with what is wrong.
    """
    parts = _parts(text)
    rule = RecurrenceRule(
        frequency=_one_of(FREQUENCIES, "FREQ", parts["FREQ"]),
        interval=_integer("INTERVAL", parts.get("INTERVAL", "1"), 1, LARGEST_INTERVAL),
        count=_integer("COUNT", parts["COUNT"], 1, MOST_COUNTED) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=WEEKDAYS.index(_one_of(WEEKDAYS, "WKST", parts.get("WKST", "MO"))),
        weekdays=_weekdays(parts["BYDAY"]) if "BYDAY" in parts else (),
        by={name: _integers(name, parts[name]) for name in _LIMITS if name in parts},
    )
    _check_together(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST:
        raise ValueError(f"a rule has at most {LONGEST} characters")
    parts: dict[str, str] = {}
    for part in text.upper().removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if name not in _NAMES or not equals:
            raise ValueError(
                "must be parts such as FREQ=WEEKLY;BYDAY=MO, with the names of RFC 5545, "
                "section 3.3.10 (RSCALE and SKIP are not supported)"
            )
        if name in parts:
            raise ValueError(f"{name} is given twice")
        parts[name] = value
    if "FREQ" not in parts:
        raise ValueError("FREQ is missing")
    return parts


def _one_of(names: tuple[str, ...], part: str, value: str) -> str:
    if value not in names:
        raise ValueError(f"{part} must be one of {', '.join(names)}")
    return value


def _integer(part: str, value: str, lowest: int, highest: int) -> int:
    number = int(value) if _INTEGER.fullmatch(value) else None
    if number is None or not lowest <= number <= highest or (number == 0 and lowest < 0):
        zero = ", without 0" if lowest < 0 else ""
        raise ValueError(f"{part} must be from {lowest} to {highest}{zero}")
    return number


def _integers(part: str, value: str) -> tuple[int, ...]:
    return tuple(sorted({_integer(part, one, *_LIMITS[part]) for one in value.split(",")}))


def _weekdays(value: str) -> tuple[Weekday, ...]:
    return tuple(sorted({_weekday(one) for one in value.split(",")}))


def _weekday(value: str) -> Weekday:
    match = _BYDAY.fullmatch(value)
    if match is None:
        raise ValueError("BYDAY must be days such as MO, or 1MO and -1FR of a month or year")
    ordinal = _integer("BYDAY", match[1], -53, 53) if match[1] else 0
    return Weekday(WEEKDAYS.index(match[2]), ordinal)


def _until(value: str) -> datetime | date:
    match = _UNTIL.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        day = datetime.strptime(match[1], "%Y%m%d")
        if match[2] is None:
            return day.date()
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
    except ValueError:
        raise ValueError("UNTIL must be like 20301231, 20301231T235959Z or ...T235959") from None
    return moment.replace(tzinfo=UTC) if match[3] else moment


def _check_together(rule: RecurrenceRule) -> None:
    """What section 3.3.10 forbids, and what nobody can want."""
    if rule.count is not None and rule.until is not None:
        raise ValueError("COUNT and UNTIL exclude each other")
    for part, frequencies in _NEVER_WITH.items():
        if part in rule.by and rule.frequency in frequencies:
            raise ValueError(f"{part} cannot stand with FREQ={rule.frequency}")
    if any(one.ordinal for one in rule.weekdays) and (
        rule.frequency not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in rule.by
    ):
        raise ValueError("BYDAY counts days (1MO, -1FR) only within a month or a year")
    if "BYSETPOS" in rule.by and len(rule.by) == 1 and not rule.weekdays:
        raise ValueError("BYSETPOS needs another BY part to choose from")
    if times_a_day(rule) > MOST_TIMES_A_DAY:
        raise ValueError("must not happen more often than once a minute")


def times_a_day(rule: RecurrenceRule) -> int:
    """At most so many occurrences on one day."""
    hours = 24 if rule.frequency in ("HOURLY", "MINUTELY") else len(rule.by.get("BYHOUR", "1"))
    minutes = 60 if rule.frequency == "MINUTELY" else len(rule.by.get("BYMINUTE", "1"))
    return hours * minutes * len(rule.by.get("BYSECOND", "1"))
