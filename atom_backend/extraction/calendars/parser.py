"""A calendar file as the reading child gives it to its parent: what was found in it, as JSON.

Invariant: ``found(read(content, ...).text)`` is what ``read_calendar`` makes of the content.
"""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from atom_backend.domain.calendar.calendar_files import CalendarImport
from atom_backend.extraction import refusals
from atom_backend.extraction.calendars.icalendar import read_calendar
from atom_backend.extraction.parsed import Parsed


def read(content: bytes, max_chars: int, *, time_zone: str) -> Parsed:
    """Raises what ``read_calendar`` raises, and InvalidInput ``extraction_limit``."""
    text = _wire().dump_json(read_calendar(content, time_zone=time_zone), exclude_defaults=True)
    if len(text) > max_chars:
        raise refusals.limit("more room for its events")
    return Parsed(text.decode(), None)


def found(text: str) -> CalendarImport:
    """Raises ValueError where the child says what it cannot have found."""
    return _wire().validate_json(text)


@cache
def _wire() -> TypeAdapter[CalendarImport]:
    return TypeAdapter(CalendarImport)
