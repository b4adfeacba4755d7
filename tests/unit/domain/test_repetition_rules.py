"""Recurrence rules are read strictly: what is taken can be written again and expanded."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from atom_backend.domain.repetition_rules import read
from atom_backend.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("FREQ=DAILY", "FREQ=DAILY"),
        (" rrule:freq=weekly;byday=mo,we;interval=2; ", "FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2"),
        ("BYDAY=-1FR;FREQ=MONTHLY", "BYDAY=-1FR;FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1"),
        ("FREQ=YEARLY;BYDAY=53MO", "FREQ=YEARLY;BYDAY=53MO"),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU;WKST=SU", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU;WKST=SU"),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30", "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30"),
        ("FREQ=DAILY;COUNT=10000", "FREQ=DAILY;COUNT=10000"),
        ("FREQ=DAILY;UNTIL=20301231T235959Z", "FREQ=DAILY;UNTIL=20301231T235959Z"),
    ],
)
def test_a_rule_is_kept_in_its_plain_form(written: str, plain: str) -> None:
    assert str(read(written)) == plain
    assert read(str(read(written))) == read(written)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("", "such as FREQ=WEEKLY"),
        ("every monday", "such as FREQ=WEEKLY"),
        ("FREQ=DAILY;" * 1_000_000, "at most 500 characters"),
        ("INTERVAL=2", "such as FREQ=WEEKLY"),
        ("FREQ=SECONDLY", "FREQ one of DAILY"),
        ("FREQ=MINUTELY;INTERVAL=5", "FREQ one of DAILY"),
        ("FREQ=HOURLY", "FREQ one of DAILY"),
        ("DTSTART:20260101\nFREQ=DAILY", "FREQ one of DAILY"),
        ("FREQ=DAILY\nRDATE:20260101", "FREQ one of DAILY"),
        ("FREQ=DAILY;FREQ=DAILY", "given twice"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;BYSECOND=1", "BYSECOND"),
        ("FREQ=DAILY;X-ODD=1", "X-ODD"),
        ("FREQ=DAILY;;INTERVAL=2", "not a part"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101", "COUNT or UNTIL"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a number from 1"),
        ("FREQ=DAILY;COUNT=-1", "COUNT must be a number from 1"),
        ("FREQ=DAILY;COUNT=10001", "COUNT must be a number from 1"),
        ("FREQ=DAILY;COUNT=٣", "COUNT must be a number from 1"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a number from 1"),
        ("FREQ=DAILY;INTERVAL=" + "9" * 400, "INTERVAL must be a number from 1"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL must be a moment"),
        ("FREQ=DAILY;UNTIL=20260230", "UNTIL must be a moment"),
        ("FREQ=DAILY;UNTIL=00010101", "UNTIL must be a moment"),
        ("FREQ=DAILY;UNTIL=99991231T235959", "UNTIL must be a moment"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY must be a list"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY must be a list"),
        ("FREQ=MONTHLY;BYDAY=MO(2)", "BYDAY must be a list"),
        ("FREQ=MONTHLY;BYDAY=+MO", "BYDAY must be a list"),
        ("FREQ=MONTHLY;BYDAY=0MO", "counted to 5"),
        ("FREQ=MONTHLY;BYDAY=6MO", "counted to 5"),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=-6MO", "counted to 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "counted to 53"),
        ("FREQ=WEEKLY;BYDAY=2MO", "within months and years"),
        ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=2MO", "within months and years"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY must be"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY must be"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY cannot stand with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO cannot stand with FREQ=MONTHLY"),
        ("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY cannot stand with FREQ=DAILY"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH must be"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR must be"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs another part"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3", "at most 12 times a day"),
        ("FREQ=DAILY;WKST=MONDAY", "WKST must be"),
        ("FREQ=DAILY;BYDAY=\ud800", "BYDAY must be a list"),
        ("FREQ=DAILY;\x00=1", "not a part"),
    ],
)
def test_a_rule_that_tasks_cannot_have_is_refused_with_what_to_change(
    written: str, advice: str
) -> None:
    with pytest.raises(InvalidInput, match=advice) as refused:
        read(written, pointer="/rule")
    assert refused.value.code == "invalid_recurrence"
    assert [problem.pointer for problem in refused.value.problems] == ["/rule"]
    refused.value.message.encode()


def test_a_day_as_the_end_means_all_of_it_where_the_task_is() -> None:
    until = read("FREQ=DAILY;UNTIL=20300701").until(BERLIN)
    assert until is not None
    assert until.astimezone(UTC) == datetime(2030, 7, 1, 21, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20300701T100000Z", datetime(2030, 7, 1, 10, tzinfo=UTC)),
        ("20300701T100000", datetime(2030, 7, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_time_as_the_end_is_local_unless_it_says_utc(written: str, moment: datetime) -> None:
    assert read(f"FREQ=DAILY;UNTIL={written}").until(BERLIN) == moment


def test_a_rule_without_an_end_has_none() -> None:
    assert read("FREQ=DAILY").until(BERLIN) is None
    assert read("FREQ=DAILY").count is None
