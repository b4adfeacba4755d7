"""What was found in a calendar file.

Invariant: every event of the file stands either among ``events``, with a note on whatever could
not be kept, or among ``refusals``, with what to change.
"""

from __future__ import annotations

from dataclasses import dataclass

from atom_backend.domain.calendar.events import Event


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event that passes ``event_checks``; ``line`` of the file is where it begins, from 1."""

    event: Event
    line: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedComponent:
    """A part of the file that was not imported, such as a VEVENT or a VTODO, and why."""

    component: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class CalendarImport:
    """Both lists are in the order of the file."""

    events: tuple[ImportedEvent, ...]
    refusals: tuple[RefusedComponent, ...]
