"""When a task that recurs is due next, and what is left of its rule then.

A task knows no more than its own due time and rule: the due time is an occurrence of the rule, the
first that is left, and counts as one (RFC 5545, section 3.3.10). The next task is due at the first
later occurrence that was still to come when this one was completed. Occurrences that passed in
the meantime are not made up for, but they count: a rule with COUNT=5 ends where it would have
ended had every task been done in time.

Wall clock time is kept across daylight saving. Times that a change of the clock skips do not
occur (same section); of those that it repeats, the first one counts (section 3.3.5).
Invariant: every search ends, after ``YEARS_AHEAD`` at the latest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from atom_backend.domain.calendar.local_time import aware, wall_clock
from atom_backend.domain.calendar.recurrence import starts
from atom_backend.domain.calendar.recurrence_rules import RecurrenceRule, plain, read, times_a_day
from atom_backend.domain.calendar.series import over
from atom_backend.errors import FieldProblem, InvalidInput

YEARS_AHEAD = 30
"""Later occurrences than this after a task's due time are as good as none."""

FIRST_YEAR, LAST_YEAR = 1900, 9000

TIMES_A_DAY = 12
"""A task that is due more often is not a task that anybody does."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The next task: when it is due, in UTC, and the rule that it carries on."""

    due_at: datetime
    recurrence: str


def check(recurrence: str, due_at: datetime, zone: ZoneInfo) -> str:
    """The rule in its plain form, for a task that is due at ``due_at``.

    Raises InvalidInput ``invalid_recurrence`` where it cannot be read, ends before the task is
    due, or never comes again although it should.
    """
    rule = _usable(recurrence, due_at)
    if over(rule.until, wall_clock(due_at, zone), due_at):
        raise _invalid("UNTIL lies before the time at which the task is due")
    if next(_later(rule, due_at, zone), None) is None:
        raise _invalid(f"no day of the next {YEARS_AHEAD} years fits it")
    return plain(recurrence)


def next_due(
    recurrence: str, due_at: datetime, completed_at: datetime, zone: ZoneInfo
) -> Repetition | None:
    """What follows a task that was completed; None when the rule has ended.

    ``due_at`` and ``completed_at`` have an offset. A task that was completed early is followed by
    the first occurrence after its due time. Raises InvalidInput ``invalid_recurrence``.
    """
    rule = _usable(recurrence, due_at)
    for passed, due in enumerate(_later(rule, due_at, zone), start=1):
        if over(rule.until, wall_clock(due, zone), due):
            return None
        if rule.count is not None and passed >= rule.count:
            return None
        if due > completed_at:
            return Repetition(due, _less(plain(recurrence), rule, passed))
    return None


def _usable(recurrence: str, due_at: datetime) -> RecurrenceRule:
    if not FIRST_YEAR <= due_at.year <= LAST_YEAR:
        raise _invalid(f"tasks recur in the years {FIRST_YEAR} to {LAST_YEAR} only")
    try:
        rule = read(plain(recurrence))
    except ValueError as error:
        raise _invalid(str(error)) from None
    if times_a_day(rule) > TIMES_A_DAY:
        raise _invalid(f"a task is due {TIMES_A_DAY} times a day at most")
    return rule


def _less(recurrence: str, rule: RecurrenceRule, passed: int) -> str:
    """The rule when so many of its occurrences have passed."""
    if rule.count is None:
        return recurrence
    return re.sub(r"COUNT=[0-9+]+", f"COUNT={rule.count - passed}", recurrence)


def _invalid(detail: str) -> InvalidInput:
    """``detail`` says what to change, as in "INTERVAL must be at least 1"."""
    return InvalidInput(
        f"The recurrence rule cannot be used: {detail}.",
        code="invalid_recurrence",
        problems=[FieldProblem("/recurrence", detail)],
    )


def _later(rule: RecurrenceRule, due_at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The occurrences after ``due_at`` within ``YEARS_AHEAD``, in UTC, wherever the rule ends."""
    local, horizon = wall_clock(due_at, zone), due_at + timedelta(days=366 * YEARS_AHEAD)
    found = starts(replace(rule, count=None), local, local, datetime.max)
    moments = filter(None, (_instant(time, zone) for time in found))
    for moment in takewhile(lambda moment: moment <= horizon, moments):
        if moment > due_at:
            yield moment


def _instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment at which clocks in ``zone`` show ``local``, or None where they never do."""
    moment = aware(local, zone)
    return moment if wall_clock(moment, zone) == local else None
