"""Nothing of an event takes place outside of its span, and the span of what ends, ends soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from atom_backend.domain.calendar.events import Event, Override
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST, occurrences
from atom_backend.domain.calendar.span import span
from tests.unit.domain.calendars import at, events, timed, whole_days

BERLIN = "Europe/Berlin"


@settings(deadline=None)
@given(events())
def test_every_instance_lies_within_the_span(event: Event) -> None:
    found = span(event)
    for one in occurrences(event, EARLIEST, LATEST, 500):
        assert found.start <= one.start < found.end
        assert one.end <= found.end
    assert occurrences(event, EARLIEST, found.start, 1) == []
    assert occurrences(event, found.end, LATEST, 1) == []


@pytest.mark.parametrize(
    ("event", "start", "end"),
    [
        (timed("2026-03-01T09:00", "2026-03-01T10:00"), "2026-03-01T09:00", "2026-03-01T10:00"),
        (
            timed("2026-03-01T09:00", "2026-03-01T09:00"),
            "2026-03-01T09:00",
            "2026-03-01T09:00:00.000001",
        ),
        (whole_days("2026-03-01", "2026-03-03"), "2026-03-01", "2026-03-03"),
        (
            timed(
                "2026-03-01T09:00",
                "2026-03-01T10:00",
                added=(at("2026-02-01T09:00"), at("2026-04-01T09:00")),
            ),
            "2026-02-01T09:00",
            "2026-04-01T10:00",
        ),
        (
            timed(
                "2026-03-01T09:00",
                "2026-03-01T10:00",
                overrides=(
                    Override(
                        at("2026-03-01T09:00"),
                        starts_at=at("2026-01-01T09:00"),
                        ends_at=at("2026-05-01T09:00"),
                    ),
                ),
            ),
            "2026-01-01T09:00",
            "2026-05-01T09:00",
        ),
    ],
)
def test_the_span_of_what_does_not_repeat_is_that_of_its_instances(
    event: Event, start: str, end: str
) -> None:
    assert (span(event).start, span(event).end) == (at(start), at(end))


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("FREQ=DAILY;COUNT=10", "2026-03-10T09:00"),
        ("FREQ=YEARLY;COUNT=3", "2028-03-01T09:00"),
        ("FREQ=DAILY;UNTIL=20260310", "2026-03-10T09:00"),
        ("FREQ=DAILY;UNTIL=20260310T080000Z", "2026-03-10T09:00"),
        ("FREQ=DAILY;UNTIL=20260310T090000", "2026-03-10T09:00"),
    ],
)
def test_the_span_of_a_series_that_ends_reaches_days_beyond_its_last_instance_at_most(
    rule: str, last: str
) -> None:
    found = span(timed("2026-03-01T09:00", "2026-03-01T10:00", BERLIN, recurrence=rule))
    end = at(last, BERLIN) + timedelta(hours=1)
    assert end <= found.end <= end + timedelta(days=3)


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=YEARLY;UNTIL=99991231", "FREQ=YEARLY"])
def test_a_series_without_an_end_reaches_to_the_end_of_time(rule: str) -> None:
    assert span(timed("2026-03-01T09:00", "2026-03-01T10:00", recurrence=rule)).end == LATEST


def test_a_series_that_begins_with_the_second_of_two_equal_times_may_have_an_earlier_instance() -> (
    None
):
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    rule = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30,45"
    event = Event("Tea", second, second + timedelta(minutes=5), BERLIN, recurrence=rule)
    earliest = occurrences(event, EARLIEST, LATEST, 1)[0].start
    assert earliest < second
    assert span(event).start <= earliest
