"""Unrolling from the middle gives what unrolling from the start gives, and never takes for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.recurrence import check, starts
from atom_backend.domain.calendar.recurrence_rules import read
from tests.unit.domain.calendars import local

FIRSTS = st.datetimes(datetime(2019, 1, 1), datetime(2024, 1, 1)).map(
    lambda first: first.replace(microsecond=0)
)
RULES = st.sampled_from(
    [
        *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;BYMONTH=1,7;BYDAY=MO,TH"),
        *("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "FREQ=WEEKLY;BYDAY=TU;BYHOUR=1,23"),
        *("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", "FREQ=WEEKLY;BYDAY=MO,TU,FR;BYSETPOS=-1"),
        *("FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=-1FR,2MO"),
        *("FREQ=MONTHLY;BYMONTHDAY=31,-1", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2,-1;INTERVAL=3"),
        *("FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=4", "FREQ=YEARLY;BYMONTH=2,8;BYDAY=1MO"),
        *("FREQ=YEARLY;BYYEARDAY=366,-1", "FREQ=YEARLY;BYWEEKNO=53,1;BYDAY=MO"),
        *("FREQ=HOURLY;INTERVAL=7", "FREQ=MINUTELY;INTERVAL=97;BYDAY=TU"),
    ]
)


@settings(deadline=None)
@given(RULES, FIRSTS, st.integers(-40, 6000), st.integers(1, 500))
@example("FREQ=MONTHLY", local("2020-01-31T09:00"), 0, 500)
@example("FREQ=YEARLY", local("2020-02-29T09:00"), 300, 1500)
@example("FREQ=YEARLY;INTERVAL=4", local("2020-03-01T09:00"), 3000, 3000)
@example("FREQ=MONTHLY;INTERVAL=5", local("2020-12-31T09:00"), 400, 900)
@example("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", local("2020-01-05T09:00"), 100, 60)
def test_beginning_in_the_middle_changes_nothing(
    text: str, first: datetime, skipped: int, days: int
) -> None:
    low = first + timedelta(days=skipped)
    high = low + timedelta(days=days)
    whole = takewhile(lambda start: start < high, rrulestr(text, dtstart=first))
    expected = {start for start in whole if start >= low} | (
        {first} if low <= first < high else set()
    )
    assert list(starts(read(text), first, low, high)) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        # RFC 5545, section 3.8.5.3: the examples whose answer is easily got wrong.
        (
            "FREQ=WEEKLY;COUNT=4;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
            "1997-08-05",
            "08-05 08-10 08-19 08-24",
        ),
        (
            "FREQ=WEEKLY;COUNT=4;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            "08-05 08-17 08-19 08-31",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", "01-15 01-30 02-15 03-15 03-30"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1998-02-13", "02-13 03-13 11-13"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "09-04 10-07 11-06"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", "1997-05-12", "05-12 05-11"),
        # A month without the day, a year without the date, are left out and not counted.
        ("FREQ=MONTHLY;COUNT=3", "2026-01-31", "01-31 03-31 05-31"),
        ("FREQ=YEARLY;COUNT=2", "2024-02-29", "02-29 02-29"),
        # What the rule leaves open is as in the first start, also the day of a numbered week.
        ("FREQ=YEARLY;BYWEEKNO=20;COUNT=2", "2026-05-13", "05-13 05-19"),
        ("FREQ=YEARLY;BYMONTH=3,9;COUNT=3", "2026-03-05", "03-05 09-05 03-05"),
        # The first start is an occurrence even where the rule does not give it; COUNT counts it.
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-01-01", "01-01 01-05 01-12"),
    ],
)
def test_occurrences_are_those_of_the_rfc(text: str, first: str, expected: str) -> None:
    found = list(starts(read(text), local(first), datetime.min, datetime(2100, 1, 1)))
    assert " ".join(f"{start:%m-%d}" for start in found) == expected


def test_count_counts_from_the_first_start_whatever_is_asked_for() -> None:
    rule = read("FREQ=DAILY;COUNT=5")
    found = starts(rule, local("2026-01-01"), local("2026-01-04"), local("2027-01-01"))
    assert list(found) == [local("2026-01-04"), local("2026-01-05")]


@pytest.mark.parametrize(
    "text",
    [
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"),
        *("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2MO"),
        *("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3"),
        *("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "FREQ=HOURLY;INTERVAL=24;BYHOUR=3"),
        *("FREQ=MINUTELY;INTERVAL=1440;BYHOUR=3", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6"),
    ],
)
def test_a_rule_that_never_comes_true_is_found_out(text: str) -> None:
    with pytest.raises(ValueError, match="never comes true"):
        check(read(text), local("2027-01-01T09:00"))


@pytest.mark.parametrize(
    "text", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=DAILY;UNTIL=20200101"]
)
def test_a_rule_that_seldom_comes_true_or_ended_long_ago_may_stand(text: str) -> None:
    check(read(text), local("2027-01-01T09:00"))


@pytest.mark.parametrize(
    "text",
    [
        *("FREQ=MINUTELY", "FREQ=HOURLY;INTERVAL=7", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU"),
        *("FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO", "FREQ=YEARLY;BYDAY=20MO"),
    ],
)
def test_a_late_question_walks_no_longer_than_an_early_one(text: str) -> None:
    # From the year 1600 on, a rule of minutes would have given two hundred million starts.
    found = starts(read(text), local("1600-01-01T09:00"), local("2026-01-01"), local("2027-01-01"))
    assert next(found) >= local("2026-01-01")
