"""Reads calendar files: iCalendar, RFC 5545.

Invariant: whatever the bytes, every event of theirs is imported or refused with its reason; only
what is no calendar at all, or cannot be read as text, is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from icalendar.parser import unescape_backslash

from atom_backend.domain.calendar.calendar_files import (
    CalendarImport,
    ImportedEvent,
    RefusedComponent,
)
from atom_backend.domain.calendar.local_time import zone
from atom_backend.errors import TooLarge, UnsupportedMedia
from atom_backend.extraction import refusals
from atom_backend.extraction.calendars.ics_components import Component, components, unfolded_bytes
from atom_backend.extraction.calendars.ics_instants import Reading
from atom_backend.extraction.calendars.ics_series import Outcome, refused, together
from atom_backend.extraction.calendars.ics_zones import Zones
from atom_backend.extraction.decoding import decode

MOST_BYTES = 10 * 1024 * 1024
"""Large calendars have one or two megabytes."""

MOST_EVENTS = 20_000
"""VEVENTs in a file; each takes about a millisecond. A busy person has a thousand a year."""

_SILENT = ("VCALENDAR", "VTIMEZONE")
"""Components that are no loss when nothing is made of them."""


def read_calendar(content: bytes, *, time_zone: str = "UTC") -> CalendarImport:
    """The events of one VCALENDAR or of several in a row, or of VEVENTs that stand alone.

    ``time_zone`` is the IANA name of the zone in which days, and times without a zone, are
    reckoned. Raises TooLarge, UnsupportedMedia for what is no calendar, InvalidInput for an
    unknown ``time_zone``, for an encoding that cannot be told, for too many lines or events.
    """
    zone(time_zone)
    if len(content) > MOST_BYTES:
        raise TooLarge(
            f"The calendar has more than {MOST_BYTES // 1024**2} MiB: split it into smaller files."
        )
    root = components(_text(content))
    calendars = [one for one in root.children if one.name == "VCALENDAR"]
    if any(one.name == "VEVENT" for one in root.children):
        calendars.append(root)
    if not calendars:
        raise UnsupportedMedia(_what_it_is(root))
    if (
        sum(one.name == "VEVENT" for calendar in calendars for one in calendar.children)
        > MOST_EVENTS
    ):
        raise refusals.limit("more events")
    found: list[Outcome] = [
        refused(one, "only events (VEVENT) in a VCALENDAR are imported")
        for one in root.children
        if root not in calendars and one.name not in _SILENT
    ]
    for calendar in calendars:
        found += _outcomes(calendar, time_zone)
    found.sort(key=lambda one: one.line)
    return CalendarImport(
        tuple(one for one in found if isinstance(one, ImportedEvent)),
        tuple(one for one in found if isinstance(one, RefusedComponent)),
    )


def _text(content: bytes) -> str:
    """Raises what ``decode`` raises."""
    for candidate in (content, unfolded_bytes(content)):
        try:
            return candidate.decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    return decode(content)


def _what_it_is(root: Component) -> str:
    what = "It holds no VCALENDAR and no VEVENT."
    if any(one.name == "VCARD" for one in root.children):
        what = "It holds contacts (VCARD)."
    return f"The file is no calendar. {what} Calendars are read as iCalendar, RFC 5545."


def _outcomes(calendar: Component, time_zone: str) -> Iterator[Outcome]:
    zones = {
        definition.value: one
        for one in calendar.children
        if one.name == "VTIMEZONE" and (definition := one.first("TZID"))
    }
    reading = Reading(Zones(zones), time_zone, _name(calendar))
    groups: dict[str, list[Component]] = {}
    for one in calendar.children:
        if one.name == "VEVENT":
            uid = one.first("UID")
            groups.setdefault(uid.value if uid else f"line {one.line}", []).append(one)
        elif one.name not in _SILENT:
            yield refused(one, "only events (VEVENT) are imported")
    for group in groups.values():
        yield from together(group, reading)


def _name(calendar: Component) -> str | None:
    """NAME is RFC 7986, section 5.1; X-WR-CALNAME is what was used before it."""
    given = calendar.first("NAME") or calendar.first("X-WR-CALNAME")
    return unescape_backslash(given.value).strip() or None if given else None
