"""A time on the wall is one instant, also where clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.calendar.local_time import (
    aware,
    known_zone,
    midnight,
    wall_clock,
    with_offset,
    zone,
)
from atom_backend.errors import InvalidInput
from tests.unit.domain.calendars import ZONES, local

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))


@pytest.mark.parametrize(
    ("place", "wall", "instant"),
    [
        ("Europe/Berlin", "2026-01-15T09:00", "2026-01-15T08:00"),
        ("Europe/Berlin", "2026-07-15T09:00", "2026-07-15T07:00"),
        # Never shown: read with the offset from before, so that it is an hour later on the wall.
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30"),
        # Shown twice: the first time counts.
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
        # Half an hour at Lord Howe; a whole day that Samoa left out.
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00"),
    ],
)
def test_a_time_on_the_wall_is_read_by_the_rule_of_rfc_5545(
    place: str, wall: str, instant: str
) -> None:
    assert aware(local(wall), zone(place)) == local(instant).replace(tzinfo=UTC)


def test_a_mark_for_the_second_time_on_the_wall_does_not_matter() -> None:
    twice = local("2026-10-25T02:30")
    assert aware(twice.replace(fold=1), zone("Europe/Berlin")) == aware(
        twice, zone("Europe/Berlin")
    )


def test_a_day_whose_midnight_is_never_shown_begins_when_clocks_are_put_forward() -> None:
    begin = midnight(date(2018, 11, 4), zone("America/Sao_Paulo"))
    assert begin == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert with_offset(begin, zone("America/Sao_Paulo")).isoformat() == "2018-11-04T01:00:00-02:00"


@settings(deadline=None)
@given(TIMES, st.sampled_from(ZONES))
def test_an_instant_shown_with_its_offset_is_the_same_instant(wall: datetime, place: str) -> None:
    instant = wall.replace(tzinfo=UTC)
    shown = with_offset(instant, zone(place))
    assert shown == instant
    assert shown.replace(tzinfo=None) == wall_clock(instant, zone(place))
    assert shown - instant == timedelta(0)


@settings(deadline=None)
@given(TIMES, st.sampled_from(ZONES))
def test_reading_what_the_wall_shows_gives_the_instant_or_the_first_of_two(
    wall: datetime, place: str
) -> None:
    instant = wall.replace(tzinfo=UTC)
    read = aware(wall_clock(instant, zone(place)), zone(place))
    assert read <= instant
    assert wall_clock(read, zone(place)) == wall_clock(instant, zone(place))


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_names_of_the_iana_database_are_known(name: str) -> None:
    assert known_zone(name)
    assert zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "europe/berlin", "Europe", "Factory", "localtime", "CEST", "W. Europe Standard Time"),
        *("../../../etc/passwd", "/etc/localtime", "Europe/Berlin\x00", "\ud800", "A" * 100_000),
    ],
)
def test_any_other_name_is_refused_at_its_place(name: str) -> None:
    with pytest.raises(InvalidInput, match="Europe/Berlin") as refused:
        zone(name)
    assert [problem.pointer for problem in refused.value.problems] == ["/time_zone"]
