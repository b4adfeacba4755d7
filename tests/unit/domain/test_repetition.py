"""A task that recurs is due next when its rule says, on the clock of its zone; searches end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.repetition import YEARS_AHEAD, Repetition, check, next_due
from atom_backend.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A local time such as 2026-03-28 09:00 as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def following(rule: str, due: str, completed: str | None = None) -> str | None:
    """The next due time on Berlin's clocks; completed in time unless said otherwise."""
    found = next_due(rule, at(due), at(completed or due), BERLIN)
    if found is None:
        return None
    assert found.due_at.tzinfo is UTC
    return f"{found.due_at.astimezone(BERLIN):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("rule", "due", "expected"),
    [
        ("FREQ=DAILY", "2026-06-01 09:00", "2026-06-02 09:00"),
        ("FREQ=DAILY;INTERVAL=3", "2026-06-01 09:00", "2026-06-04 09:00"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-06-01 09:00", "2026-06-04 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2026-06-04 09:00", "2026-06-15 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", "2026-06-01 09:00", "2026-06-07 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-06-01 09:00", "2026-06-14 09:00"),
        ("FREQ=MONTHLY", "2026-01-31 09:00", "2026-03-31 09:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31 09:00", "2026-02-28 09:00"),
        ("FREQ=MONTHLY;BYDAY=2TU", "2026-06-09 09:00", "2026-07-14 09:00"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-06-30 09:00", "2026-07-31 09:00"),
        ("FREQ=YEARLY", "2024-02-29 09:00", "2028-02-29 09:00"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02-29 09:00", "2104-02-29 09:00"),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", "2026-06-01 09:00", "2026-06-01 17:00"),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-06-03 09:00", "2026-06-08 09:00"),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH", "2026-12-31 09:00", "2032-12-30 09:00"),
        ("FREQ=DAILY", "2399-12-31 09:00", "2400-01-01 09:00"),
        ("FREQ=YEARLY;INTERVAL=20", "2390-05-01 09:00", "2410-05-01 09:00"),
    ],
)
def test_the_next_task_is_due_when_the_rule_says(rule: str, due: str, expected: str) -> None:
    assert following(rule, due) == expected


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-03-28 09:00", "2026-03-29 09:00"),  # clocks go forward in that night
        ("2026-10-24 09:00", "2026-10-25 09:00"),  # and back in this one
        ("2026-03-28 02:30", "2026-03-30 02:30"),  # 02:30 does not occur on the 29th
        ("2026-10-24 02:30", "2026-10-25 02:30"),
        ("2026-10-25 02:30", "2026-10-26 02:30"),
    ],
)
def test_the_wall_clock_is_kept_when_clocks_change(due: str, expected: str) -> None:
    assert following("FREQ=DAILY", due) == expected


def test_of_a_time_that_clocks_show_twice_the_first_counts() -> None:
    found = next_due("FREQ=DAILY", at("2026-10-24 02:30"), at("2026-10-24 02:30"), BERLIN)
    assert found is not None
    assert found.due_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_task_due_at_the_second_of_two_equal_times_is_next_due_a_day_later() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    found = next_due("FREQ=DAILY", second, second, BERLIN)
    assert found == Repetition(at("2026-10-26 02:30"), "FREQ=DAILY")


@pytest.mark.parametrize(
    ("rule", "completed", "expected"),
    [
        ("FREQ=DAILY", "2026-05-20 12:00", "2026-06-02 09:00"),  # early
        ("FREQ=DAILY", "2026-06-01 12:00", "2026-06-02 09:00"),
        ("FREQ=DAILY", "2026-06-09 08:59", "2026-06-09 09:00"),
        ("FREQ=DAILY", "2026-06-09 09:00", "2026-06-10 09:00"),
        ("FREQ=DAILY;INTERVAL=7", "2026-06-30 12:00", "2026-07-06 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-06-16 12:00", "2026-06-29 09:00"),
    ],
)
def test_a_task_completed_late_is_next_due_after_that_and_in_step(
    rule: str, completed: str, expected: str
) -> None:
    assert following(rule, "2026-06-01 09:00", completed) == expected


def test_the_count_goes_down_from_task_to_task_until_the_series_ends() -> None:
    due, rule, seen = at("2026-06-01 09:00"), "FREQ=DAILY;COUNT=3", 1
    while (found := next_due(rule, due, due, BERLIN)) is not None:
        due, rule, seen = found.due_at, found.recurrence, seen + 1
    assert (seen, rule, due) == (3, "FREQ=DAILY;COUNT=1", at("2026-06-03 09:00"))


def test_occurrences_that_passed_unseen_count() -> None:
    found = next_due("FREQ=DAILY;COUNT=5", at("2026-06-01 09:00"), at("2026-06-03 12:00"), BERLIN)
    assert found == Repetition(at("2026-06-04 09:00"), "FREQ=DAILY;COUNT=2")
    assert following("FREQ=DAILY;COUNT=5", "2026-06-01 09:00", "2026-06-05 12:00") is None


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("20260602T070000Z", "2026-06-02 09:00"),
        ("20260602T065959Z", None),
        ("20260602", "2026-06-02 09:00"),
        ("20260601", None),
        ("20260602T090000", "2026-06-02 09:00"),
        ("20260602T085959", None),
    ],
)
def test_no_task_is_due_after_the_end_of_its_rule(until: str, expected: str | None) -> None:
    assert following(f"FREQ=DAILY;UNTIL={until}", "2026-06-01 09:00") == expected


NEVER = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
    f"FREQ=YEARLY;INTERVAL={YEARS_AHEAD + 1}",
]


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_never_comes_again_is_refused_and_ends(rule: str) -> None:
    monday = at("2026-06-01 09:00")
    with pytest.raises(InvalidInput, match="no day of the next") as refused:
        check(rule, monday, BERLIN)
    assert refused.value.code == "invalid_recurrence"
    assert next_due(rule, monday, monday, BERLIN) is None


def test_the_day_of_the_task_decides_whether_its_month_ever_has_it() -> None:
    check("FREQ=MONTHLY;BYMONTH=2", at("2026-06-28 09:00"), BERLIN)
    with pytest.raises(InvalidInput, match="no day of the next"):
        check("FREQ=MONTHLY;BYMONTH=2", at("2026-06-30 09:00"), BERLIN)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("rrule:freq=daily;count=1", "FREQ=DAILY;COUNT=1"),
        (" rrule:byday=mo,we;freq=weekly; ", "BYDAY=MO,WE;FREQ=WEEKLY"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4;BYMINUTE=1,2,3", "FREQ=DAILY;BYHOUR=1,2,3,4;BYMINUTE=1,2,3"),
    ],
)
def test_a_rule_is_checked_into_its_plain_form(written: str, kept: str) -> None:
    monday = at("2026-06-01 09:00")
    assert check(written, monday, BERLIN) == kept
    following = next_due(written, monday, monday, BERLIN)
    assert following is None or following.recurrence == kept


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("", "such as FREQ=WEEKLY"),
        ("every monday", "such as FREQ=WEEKLY"),
        ("FREQ=DAILY;" * 1_000_000, "at most 512 characters"),
        ("FREQ=DAILY\nRDATE:20260101", "FREQ must be one of"),
        ("FREQ=DAILY;BYDAY=\ud800", "BYDAY must be days"),
        ("FREQ=DAILY;\x00=1", "such as FREQ=WEEKLY"),
        ("FREQ=HOURLY;INTERVAL=12", "12 times a day"),
        ("FREQ=MINUTELY;INTERVAL=5", "12 times a day"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3", "12 times a day"),
    ],
)
def test_a_rule_that_tasks_cannot_have_is_refused_with_what_to_change(
    written: str, advice: str
) -> None:
    with pytest.raises(InvalidInput, match=advice) as refused:
        check(written, at("2026-06-01 09:00"), BERLIN)
    assert refused.value.code == "invalid_recurrence"
    assert [problem.pointer for problem in refused.value.problems] == ["/recurrence"]
    refused.value.message.encode()


def test_a_rule_that_ends_before_its_task_is_due_is_refused() -> None:
    with pytest.raises(InvalidInput, match="UNTIL lies before"):
        check("FREQ=DAILY;UNTIL=20260531", at("2026-06-01 09:00"), BERLIN)
    assert check("FREQ=DAILY;UNTIL=20260601", at("2026-06-01 09:00"), BERLIN)


@pytest.mark.parametrize("year", [1, 1899, 9001, 9999])
def test_a_task_at_the_ends_of_the_calendar_cannot_recur(year: int) -> None:
    due = datetime(year, 6, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="in the years 1900 to 9000"):
        check("FREQ=DAILY", due, BERLIN)
    with pytest.raises(InvalidInput, match="in the years 1900 to 9000"):
        next_due("FREQ=DAILY", due, due, BERLIN)


def test_a_task_completed_ages_later_has_no_next_one() -> None:
    assert following("FREQ=DAILY", "1970-01-01 09:00", "2026-06-01 09:00") is None


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of every part that tasks can have, sensible or not."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 40))}"]
    days = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
    ordinals = st.sampled_from(["", "1", "-1", "3", "5", "-5"])
    month_days = st.integers(-31, 31).filter(bool)
    if draw(st.booleans()):
        parts.append(f"BYMONTH={_some(draw, st.integers(1, 12))}")
    if frequency != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={_some(draw, month_days)}")
    if frequency == "YEARLY" and draw(st.booleans()):
        weeks = st.integers(-53, 53).filter(bool)
        parts.append(f"BYWEEKNO={_some(draw, weeks)};BYDAY={_some(draw, days)}")
    elif draw(st.booleans()):
        counted = st.builds(lambda count, day: count + day, ordinals, days)
        ordinal = frequency in {"MONTHLY", "YEARLY"}
        parts.append(f"BYDAY={_some(draw, counted if ordinal else days)}")
    if draw(st.booleans()):
        parts.append(f"BYHOUR={_some(draw, st.integers(0, 23))};BYSETPOS=-1")
    return ";".join(parts)


def _some(draw: st.DrawFn, values: st.SearchStrategy[int] | st.SearchStrategy[str]) -> str:
    return ",".join(map(str, draw(st.lists(values, min_size=1, max_size=3))))


@settings(deadline=None)
@given(
    rule=rules(),
    due=st.datetimes(datetime(1971, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC)),
    late=st.timedeltas(timedelta(-30), timedelta(400)),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
def test_whatever_the_rule_what_follows_is_later_and_within_bounds(
    rule: str, due: datetime, late: timedelta, zone: str
) -> None:
    found = next_due(rule, due, due + late, ZoneInfo(zone))
    if found is not None:
        assert max(due, due + late) < found.due_at
        assert found.due_at <= due + timedelta(days=366 * YEARS_AHEAD)
        assert found.recurrence == rule
