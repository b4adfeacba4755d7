"""Rules are read strictly: what comes out is exactly what was written."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.recurrence_rules import RecurrenceRule, Weekday, read


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("FREQ=DAILY", RecurrenceRule("DAILY")),
        ("freq=weekly;byday=mo", RecurrenceRule("WEEKLY", weekdays=(Weekday(0),))),
        ("INTERVAL=2;FREQ=DAILY;", RecurrenceRule("DAILY", interval=2)),
        ("FREQ=DAILY;COUNT=10", RecurrenceRule("DAILY", count=10)),
        ("FREQ=WEEKLY;WKST=SU", RecurrenceRule("WEEKLY", week_start=6)),
        (
            "FREQ=MONTHLY;BYDAY=-1FR,+2MO",
            RecurrenceRule("MONTHLY", weekdays=(Weekday(0, 2), Weekday(4, -1))),
        ),
        (
            "FREQ=YEARLY;BYMONTH=3,1,3;BYMONTHDAY=-1",
            RecurrenceRule("YEARLY", by={"BYMONTH": (1, 3), "BYMONTHDAY": (-1,)}),
        ),
        ("FREQ=DAILY;UNTIL=20301231", RecurrenceRule("DAILY", until=date(2030, 12, 31))),
        (
            "FREQ=DAILY;UNTIL=20301231T120000Z",
            RecurrenceRule("DAILY", until=datetime(2030, 12, 31, 12, tzinfo=UTC)),
        ),
        (
            "FREQ=DAILY;UNTIL=20301231T120000",
            RecurrenceRule("DAILY", until=datetime(2030, 12, 31, 12)),
        ),
    ],
)
def test_a_rule_says_what_its_parts_say(text: str, rule: RecurrenceRule) -> None:
    assert read(text) == rule


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "FREQ=WEEKLY;BYDAY=MO"),
        ("RRULE:FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=DAILY;INTERVAL", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=DAILY;UNTL=20300101", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=DAILY;;COUNT=1", "FREQ=WEEKLY;BYDAY=MO"),
        ("RSCALE=CHINESE;FREQ=YEARLY", "RSCALE"),
        ("INTERVAL=2", "FREQ is missing"),
        ("FREQ=DAILY;FREQ=DAILY", "given twice"),
        ("FREQ=SOMETIMES", "FREQ must be"),
        ("FREQ=SECONDLY", "FREQ must be"),
        ("FREQ=SECONDLY;COUNT=3", "FREQ must be"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be from 1"),
        ("FREQ=DAILY;INTERVAL=1e3", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=١", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL= 1", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=100000000000000000000", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;COUNT=10001", "COUNT"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101", "exclude each other"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20300231", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20300101T250000Z", "UNTIL"),
        ("FREQ=DAILY;UNTIL=2030-01-01", "UNTIL"),
        ("FREQ=WEEKLY;WKST=XX", "WKST"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=MO,,TU", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "only within a month or a year"),
        ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", "only within a month or a year"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "without 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY cannot stand"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY cannot stand"),
        ("FREQ=DAILY;BYWEEKNO=1", "BYWEEKNO cannot stand"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND"),
        ("FREQ=MONTHLY;BYSETPOS=1", "another BY part"),
        ("FREQ=MINUTELY;BYSECOND=0,30", "once a minute"),
        ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 200))), "at most 512"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(text)


def test_times_of_the_day_multiply() -> None:
    hours = ",".join(map(str, range(24)))
    minutes = ",".join(map(str, range(60)))
    read(f"FREQ=DAILY;BYHOUR={hours};BYMINUTE={minutes}")
    with pytest.raises(ValueError, match="once a minute"):
        read(f"FREQ=DAILY;BYHOUR={hours};BYMINUTE={minutes};BYSECOND=0,1")


@settings(deadline=None)
@given(st.text(st.sampled_from("FREQ=DAILYBYMONTHDAY;,-+0123456789TZ \n\x00é"), max_size=80))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert read(text).frequency in text
