"""Busy time is what events really take, and never a part of it passed off as the whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atom_backend.domain.calendar.events import Event, EventStatus, Override
from atom_backend.domain.calendar.occurrences import Interval, busy
from atom_backend.errors import InvalidInput
from tests.unit.domain.calendars import at, timed

ALL = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def test_busy_time_is_merged_clipped_and_in_order() -> None:
    several = [
        timed("2026-01-01T11:00", "2026-01-01T12:00"),
        timed("2026-01-01T11:15", "2026-01-01T11:30"),
        timed("2026-01-01T09:30", "2026-01-01T10:30"),
        timed("2026-01-01T09:00", "2026-01-01T10:00"),
        timed("2026-01-01T10:30", "2026-01-01T10:45"),
        timed("2026-01-01T23:00", "2026-01-02T05:00"),
    ]
    assert busy(several, at("2026-01-01T09:15"), at("2026-01-02T00:00")) == [
        Interval(at("2026-01-01T09:15"), at("2026-01-01T10:45")),
        Interval(at("2026-01-01T11:00"), at("2026-01-01T12:00")),
        Interval(at("2026-01-01T23:00"), at("2026-01-02T00:00")),
    ]


@pytest.mark.parametrize(
    "event",
    [
        timed("2026-01-01T09:00", "2026-01-01T10:00", status=EventStatus.CANCELLED),
        timed("2026-01-01T09:00", "2026-01-01T10:00", transparent=True),
        timed("2026-01-01T09:00", "2026-01-01T09:00"),
        timed(
            *("2026-01-01T09:00", "2026-01-01T10:00"),
            overrides=(Override(at("2026-01-01T09:00"), cancelled=True),),
        ),
        timed(
            *("2026-01-01T09:00", "2026-01-01T10:00"),
            overrides=(Override(at("2026-01-01T09:00"), transparent=True),),
        ),
    ],
)
def test_what_is_cancelled_transparent_or_without_length_keeps_nobody_busy(event: Event) -> None:
    assert busy([event], *ALL) == []


def test_an_instance_may_take_time_in_a_transparent_series() -> None:
    event = timed(
        *("2026-01-01T09:00", "2026-01-01T10:00"),
        transparent=True,
        overrides=(Override(at("2026-01-01T09:00"), transparent=False),),
    )
    assert busy([event], *ALL) == [Interval(at("2026-01-01T09:00"), at("2026-01-01T10:00"))]


def test_too_much_to_count_is_refused_and_not_cut_short() -> None:
    event = timed("2026-01-01T00:00", "2026-01-01T00:01", recurrence="FREQ=MINUTELY")
    with pytest.raises(InvalidInput, match="shorter period") as refused:
        busy([event], at("2026-01-01"), at("2027-01-01"))
    assert refused.value.code == "too_many_occurrences"
    daily = timed("2026-01-01T00:00", "2026-01-01T00:01", recurrence="FREQ=HOURLY")
    with pytest.raises(InvalidInput, match="shorter period"):
        busy([daily] * 6, at("2026-01-01"), at("2027-01-01"))
