"""The text of a task's recurrence rule: RRULE of RFC 5545, section 3.3.10, read strictly.

dateutil, which expands rules, takes more than the RFC allows, and some of it it cannot end:
what reaches it has passed here. Only whole days and longer recur, a few times a day at most.
Invariant: a rule that was read can be written again, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from atom_backend.errors import FieldProblem, InvalidInput

LONGEST_TEXT = 500
LARGEST_INTERVAL = 1_000
LARGEST_COUNT = 10_000
TIMES_A_DAY = 12
"""A task that is due more often is not a task that anybody does."""

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_DAY = re.compile(rf"([+-]?)(\d{{1,2}})?{_WEEKDAY}", re.ASCII)
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_LISTS = {  # part: lowest, highest, whether it may count from the end, frequencies that forbid it
    "BYHOUR": (0, 23, False, ""),
    "BYMINUTE": (0, 59, False, ""),
    "BYMONTH": (1, 12, False, ""),
    "BYMONTHDAY": (1, 31, True, "WEEKLY"),
    "BYYEARDAY": (1, 366, True, "DAILY WEEKLY MONTHLY"),
    "BYWEEKNO": (1, 53, True, "DAILY WEEKLY MONTHLY"),
    "BYSETPOS": (1, 366, True, ""),
}
_SINGLE = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's parts by name, in the order in which they came, in capital letters."""

    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)

    @property
    def count(self) -> int | None:
        """How many times the task is due, this time included."""
        count = dict(self.parts).get("COUNT")
        return None if count is None else int(count)

    def with_count(self, count: int) -> Rule:
        """The rule of a task that is due so many times more; only for a rule with a count."""
        return Rule(
            tuple((name, str(count) if name == "COUNT" else value) for name, value in self.parts)
        )

    @property
    def pattern(self) -> str:
        """The rule without its end: where it ends is for instants, not for local times, to say."""
        return str(Rule(tuple(part for part in self.parts if part[0] not in {"COUNT", "UNTIL"})))

    def until(self, zone: ZoneInfo) -> datetime | None:
        """The last moment at which the task may be due.

        A date means the whole of that day in ``zone``, a time without Z a time in ``zone``: RFC
        5545 asks for UTC here, but many programs write these.
        """
        text = dict(self.parts).get("UNTIL")
        if text is None:
            return None
        moment = _moment(text)
        if len(text) == len("YYYYMMDD"):
            return datetime.combine(moment, time.max, zone)
        return moment.replace(tzinfo=UTC if text.endswith("Z") else zone)


def read(text: str, *, pointer: str = "/recurrence") -> Rule:
    """The rule that is written in ``text``, with or without "RRULE:" before it.

    Raises InvalidInput ``invalid_recurrence``.
    """
    written = text.strip().upper().removeprefix("RRULE:") if len(text) <= LONGEST_TEXT else ""
    split = (part.partition("=") for part in written.rstrip(";").split(";"))
    parts = tuple((name, value) for name, _, value in split)
    problem = next(_problems(parts), None)
    if problem is not None:
        raise invalid(problem, pointer=pointer)
    return Rule(parts)


def invalid(detail: str, *, pointer: str = "/recurrence") -> InvalidInput:
    """``detail`` says what to change, as in "INTERVAL must be at least 1"."""
    return InvalidInput(
        f"The recurrence rule cannot be used: {detail}.",
        code="invalid_recurrence",
        problems=[FieldProblem(pointer, detail)],
    )


def _problems(parts: Sequence[tuple[str, str]]) -> Iterator[str]:
    given = dict(parts)
    if given.get("FREQ") not in _FREQUENCIES:
        yield (
            f"it must be an RRULE of RFC 5545 of at most {LONGEST_TEXT} characters, such as "
            f"FREQ=WEEKLY;BYDAY=MO, and FREQ one of {', '.join(_FREQUENCIES)}"
        )
        return
    if unknown := sorted(set(given) - _SINGLE - _LISTS.keys() - {"BYDAY"}):
        yield f"{unknown[0][:20]!a} is not a part that tasks can have"
    if len(given) != len(parts):
        yield "a part is given twice"
    if "COUNT" in given and "UNTIL" in given:
        yield "it may have COUNT or UNTIL, not both"
    yield from _problems_of_single_values(given)
    for name in _LISTS.keys() & given.keys():
        yield from _problems_of_list(name, given[name], given["FREQ"])
    yield from _problems_of_days(given)
    if "BYSETPOS" in given and not any(n.startswith("BY") and n != "BYSETPOS" for n in given):
        yield "BYSETPOS needs another part that begins with BY"
    if _length(given, "BYHOUR") * _length(given, "BYMINUTE") > TIMES_A_DAY:
        yield f"at most {TIMES_A_DAY} times a day"


def _problems_of_single_values(given: dict[str, str]) -> Iterator[str]:
    for name, highest in (("INTERVAL", LARGEST_INTERVAL), ("COUNT", LARGEST_COUNT)):
        value = given.get(name, "1")
        if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= highest:
            yield f"{name} must be a number from 1 to {highest}"
    if not re.fullmatch(_WEEKDAY, given.get("WKST", "MO")):
        yield "WKST must be one of MO, TU, WE, TH, FR, SA, SU"
    if "UNTIL" in given and not _is_moment(given["UNTIL"]):
        yield "UNTIL must be a moment such as 20301231T235959Z or a day such as 20301231"


def _problems_of_list(name: str, value: str, frequency: str) -> Iterator[str]:
    lowest, highest, backwards, forbidden = _LISTS[name]
    if frequency in forbidden.split():
        yield f"{name} cannot stand with FREQ={frequency}"
    for one in value.split(","):
        number = int(one) if _NUMBER.fullmatch(one) else highest + 1
        if not lowest <= (abs(number) if backwards else number) <= highest:
            signs = ", or the same with a minus" if backwards else ""
            yield f"{name} must be a list of numbers from {lowest} to {highest}{signs}"


def _problems_of_days(given: dict[str, str]) -> Iterator[str]:
    """An ordinal such as the second Monday counts within a month or a year, and so is bounded."""
    within_year = given["FREQ"] == "YEARLY" and "BYMONTH" not in given
    highest = 53 if within_year else 5
    for one in given["BYDAY"].split(",") if "BYDAY" in given else ():
        day = _DAY.fullmatch(one)
        if day is None or (day[1] and not day[2]) or (day[2] and not 1 <= int(day[2]) <= highest):
            yield f"BYDAY must be a list of days such as MO or -1FR, counted to {highest}"
        elif day[2] and (given["FREQ"] not in {"MONTHLY", "YEARLY"} or "BYWEEKNO" in given):
            yield "BYDAY can count days, as in 2MO, within months and years only"


def _length(given: dict[str, str], name: str) -> int:
    return given.get(name, "").count(",") + 1


def _moment(text: str) -> datetime:
    shape = "%Y%m%dT%H%M%S"[: 6 if len(text) == len("YYYYMMDD") else None]
    return datetime.strptime(text.removesuffix("Z"), shape)


def _is_moment(text: str) -> bool:
    try:
        return _UNTIL.fullmatch(text) is not None and 1900 <= _moment(text).year <= 9998
    except ValueError:
        return False
