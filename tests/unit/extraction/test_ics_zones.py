"""A zone is taken for one of the IANA only where a name or the clocks say so."""

from __future__ import annotations

import pytest

from atom_backend.domain.calendar.calendar_files import CalendarImport
from atom_backend.domain.calendar.occurrences import occurrences
from atom_backend.extraction.calendars.icalendar import read_calendar
from tests.unit.domain.calendars import at

EUROPE = """BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT"""

FIXED = """BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0107
TZOFFSETTO:+0107
END:STANDARD"""


def read(tzid: str, *lines: str, definition: str | None = None) -> CalendarImport:
    """An event at nine o'clock on 6 July 2026 in a zone of that name."""
    zone = f"BEGIN:VTIMEZONE\nTZID:{tzid}\n{definition}\nEND:VTIMEZONE\n" if definition else ""
    event = "\n".join(["BEGIN:VEVENT", f'DTSTART;TZID="{tzid}":20260706T090000', *lines])
    return read_calendar(f"BEGIN:VCALENDAR\n{zone}{event}\nEND:VEVENT\nEND:VCALENDAR".encode())


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("/Europe/Stockholm", "Europe/Stockholm"),
        ("/mozilla.org/20070129_1/America/New_York", "America/New_York"),
        ("/x/Tzfile/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("posix/Europe/Vaduz", "Europe/Vaduz"),
    ],
)
def test_a_name_that_means_an_iana_zone_is_mapped_with_a_note(tzid: str, name: str) -> None:
    (one,) = read(tzid).events
    assert one.event.time_zone == name
    assert one.event.starts_at == at("2026-07-06T09:00", name)
    assert [name in note for note in one.notes] == [True]


def test_an_iana_name_needs_no_note_and_is_not_what_the_file_makes_of_it() -> None:
    (one,) = read("Europe/Berlin", definition=FIXED).events
    assert (one.event.time_zone, one.notes) == ("Europe/Berlin", ())
    assert one.event.starts_at == at("2026-07-06T07:00")


@pytest.mark.parametrize("tzid", ["Nowhere", "Europe/Nowhere", "/x/y", "CET5", "../../etc/passwd"])
def test_a_name_that_says_nothing_is_refused(tzid: str) -> None:
    found = read(tzid)
    assert found.events == ()
    assert [one.reason for one in found.refusals] == [
        "its time zone is not known, and the file does not define it"
    ]


def test_a_single_event_in_a_zone_of_the_file_is_kept_in_utc_with_a_note() -> None:
    (one,) = read("Own", definition=FIXED).events
    assert (one.event.time_zone, one.event.starts_at) == ("UTC", at("2026-07-06T07:53"))
    assert ["kept in UTC" in note for note in one.notes] == [True]


def test_a_series_in_a_zone_of_the_file_takes_the_iana_zone_whose_clocks_agree() -> None:
    (one,) = read("Own", "RRULE:FREQ=MONTHLY", definition=EUROPE).events
    assert one.event.time_zone == "Europe/Berlin"
    assert ["Europe/Berlin" in note for note in one.notes] == [True]
    starts = [
        found.start for found in occurrences(one.event, at("2026-10-01"), at("2026-12-01"), 9)
    ]
    assert starts == [at("2026-10-06T07:00"), at("2026-11-06T08:00")]


@pytest.mark.parametrize(
    "definition",
    [
        FIXED,
        EUROPE.replace("T020000", "T040000"),  # two hours later than anywhere
        EUROPE.replace("BYMONTH=3", "BYMONTH=5"),
    ],
)
def test_a_series_in_a_zone_like_no_other_is_refused(definition: str) -> None:
    found = read("Own", "RRULE:FREQ=MONTHLY", definition=definition)
    assert found.events == ()
    assert ["which no zone of the IANA is like" in one.reason for one in found.refusals] == [True]


@pytest.mark.parametrize(
    "definition",
    [
        "COMMENT:nothing",
        FIXED.replace("TZOFFSETTO:+0107", "TZOFFSETTO:+9907"),
        FIXED.replace("TZOFFSETTO:+0107\n", ""),
        FIXED.replace("DTSTART:19700101T000000", "DTSTART:19700101T990000"),
        EUROPE.replace("FREQ=YEARLY", "FREQ=DAILY"),
        EUROPE.replace("BYDAY=-1SU", "BYMONTHDAY=32"),
        EUROPE.replace("BYMONTH=10;BYDAY=-1SU", "BYMONTH=2;BYMONTHDAY=30"),
        "\n".join([FIXED] * 300),
        FIXED.replace("END:STANDARD", "END:DAYLIGHT"),
    ],
)
def test_a_zone_that_is_not_defined_as_it_must_be_is_refused(definition: str) -> None:
    found = read("Own", definition=definition)
    assert found.events == ()
    assert ["is not defined as" in one.reason for one in found.refusals] == [True]


def test_the_zones_of_one_file_are_unknown_to_the_next() -> None:
    assert read("Own", definition=FIXED).events
    assert not read("Own").events


def test_no_file_has_its_zones_compared_without_end() -> None:
    events = "\n".join(
        f"BEGIN:VEVENT\nDTSTART;TZID=Own:{year}0101T000000\nRRULE:FREQ=YEARLY\nEND:VEVENT"
        for year in range(1900, 1990)
    )
    zone = f"BEGIN:VTIMEZONE\nTZID:Own\n{FIXED}\nEND:VTIMEZONE"
    found = read_calendar(f"BEGIN:VCALENDAR\n{zone}\n{events}\nEND:VCALENDAR".encode())
    assert ["too many time zones" in one.reason for one in found.refusals].count(True) == 26
