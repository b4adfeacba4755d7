"""Pages of an agenda are the instances of all events, in order, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.agenda import Place, Window, agenda
from atom_backend.domain.calendar.events import Event, EventStatus, Override
from atom_backend.domain.calendar.occurrences import occurrences
from tests.unit.domain.calendars import at, events, timed

MONTH = Window(at("2026-03-01"), at("2026-04-01"))


def named(*given: Event) -> list[tuple[UUID, str, Event]]:
    return [(UUID(int=number), f"event {number}", one) for number, one in enumerate(given)]


def paged(given: list[tuple[UUID, str, Event]], window: Window, size: int) -> list[Place]:
    places: list[Place] = []
    while page := agenda(given, window, size, after=places[-1] if places else None):
        places += [one.place for one in page]
        assert len(places) < 5_000
    return places


@settings(deadline=None, max_examples=50)
@given(st.lists(events(), max_size=4), st.integers(1, 7), st.integers(1, 60))
def test_pages_hold_every_instance_once_and_in_order(
    several: list[Event], size: int, days: int
) -> None:
    start = several[0].starts_at if several else at("2026-01-01")
    window = Window(start, start + timedelta(days=days))
    expected = sorted(
        Place(one.start.astimezone(UTC), UUID(int=number), one.original_start.astimezone(UTC))
        for number, event in enumerate(several)
        for one in occurrences(event, window.start, window.end, 10_000)
    )
    assert paged(named(*several), window, size) == expected


def test_instances_that_were_moved_to_one_time_are_told_apart() -> None:
    noon = at("2026-03-20T12:00")
    days = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in range(1, 11)]
    moved = tuple(Override(day, starts_at=noon, ends_at=noon) for day in days)
    series = timed(
        "2026-03-01T09:00",
        "2026-03-01T10:00",
        recurrence="FREQ=DAILY;COUNT=11",
        overrides=moved,
    )
    places = paged(named(series, series), MONTH, 3)
    assert len(places) == len(set(places)) == 22
    assert [one.start for one in places].count(noon) == 20


def test_what_began_before_the_window_and_lasts_into_it_comes_first() -> None:
    long = timed("2026-02-01T09:00", "2026-03-02T09:00")
    short = timed("2026-03-01T09:00", "2026-03-01T10:00")
    assert [one.source for one in agenda(named(short, long), MONTH, 5)] == ["event 1", "event 0"]


def test_occurrences_since_a_time_are_those_that_begin_then_or_later() -> None:
    day = at("2026-03-03T09:00")
    moved = Override(day, starts_at=at("2026-02-20T09:00"), ends_at=at("2026-03-20T09:00"))
    series = timed(
        "2026-03-01T09:00", "2026-03-02T09:00", recurrence="FREQ=DAILY;COUNT=5", overrides=(moved,)
    )
    found = occurrences(series, MONTH.start, MONTH.end, 9, since=at("2026-03-04T09:00"))
    assert [one.start for one in found] == [at("2026-03-04T09:00"), at("2026-03-05T09:00")]


def test_the_status_that_is_asked_for_is_that_of_the_instance() -> None:
    day = at("2026-03-03T09:00")
    series = timed(
        "2026-03-01T09:00",
        "2026-03-01T10:00",
        recurrence="FREQ=DAILY;COUNT=5",
        overrides=(Override(day, status=EventStatus.TENTATIVE),),
    )
    tentative = agenda(named(series), MONTH, 9, status=EventStatus.TENTATIVE)
    assert [one.occurrence.original_start for one in tentative] == [day]
    assert len(agenda(named(series), MONTH, 9, status=EventStatus.CONFIRMED)) == 4
    assert len(agenda(named(series), MONTH, 9)) == 5
