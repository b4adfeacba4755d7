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

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from atom_backend.domain.repetition_rules import Rule, invalid, read

YEARS_AHEAD = 30
"""Later occurrences than this after a task's due time are as good as none."""

FIRST_YEAR, LAST_YEAR = 1900, 9000

_CYCLE_YEARS = 400
_CYCLE = timedelta(days=146_097)
"""The Gregorian calendar repeats itself, weekdays included: 146,097 days are 20,871 weeks."""

_ASKED_FROM = 9_500
"""The year from which dateutil is asked: a whole cycle and some years more are left then."""


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
    until = rule.until(zone)
    if until is not None and until < due_at:
        raise invalid("UNTIL lies before the time at which the task is due")
    if next(_later(rule, due_at, zone), None) is None:
        raise invalid(f"no day of the next {YEARS_AHEAD} years fits it")
    return str(rule)


def next_due(
    recurrence: str, due_at: datetime, completed_at: datetime, zone: ZoneInfo
) -> Repetition | None:
    """What follows a task that was completed; None when the rule has ended.

    ``due_at`` and ``completed_at`` have an offset. A task that was completed early is followed by
    the first occurrence after its due time. Raises InvalidInput ``invalid_recurrence``.
    """
    rule = _usable(recurrence, due_at)
    until, left = rule.until(zone), rule.count
    for passed, due in enumerate(_later(rule, due_at, zone), start=1):
        if (until is not None and due > until) or (left is not None and passed >= left):
            return None
        if due > completed_at:
            rest = rule if left is None else rule.with_count(left - passed)
            return Repetition(due, str(rest))
    return None


def _usable(recurrence: str, due_at: datetime) -> Rule:
    if not FIRST_YEAR <= due_at.year <= LAST_YEAR:
        raise invalid(f"tasks recur in the years {FIRST_YEAR} to {LAST_YEAR} only")
    return read(recurrence)


def _later(rule: Rule, due_at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The occurrences after ``due_at`` within ``YEARS_AHEAD``, in UTC, wherever the rule ends."""
    local = due_at.astimezone(zone).replace(tzinfo=None, fold=0)
    horizon = due_at + timedelta(days=366 * YEARS_AHEAD)
    moments = filter(None, (_instant(time, zone) for time in _pattern(rule, local)))
    for moment in takewhile(lambda moment: moment <= horizon, moments):
        if moment > due_at:
            yield moment


def _pattern(rule: Rule, start: datetime) -> Iterator[datetime]:
    """Local times at which the rule recurs, from ``start`` on.

    Where nothing fits a rule, dateutil looks on until the last year that a ``datetime`` can hold:
    so it is asked about a late cycle of the calendar, where that is soon reached.
    """
    cycles = (_ASKED_FROM - start.year + _CYCLE_YEARS - 1) // _CYCLE_YEARS
    shift = cycles * _CYCLE
    wkst = "" if "WKST=" in rule.pattern else ";WKST=MO"
    for time in rrulestr(rule.pattern + wkst, dtstart=start + shift):
        yield time - shift


def _instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment at which clocks in ``zone`` show ``local``, or None where they never do."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    return moment if shown == local else None
