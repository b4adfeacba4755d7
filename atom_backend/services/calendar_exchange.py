"""Calendar files taken in and given out.

Invariant: of everything in a file it is said what became of it; a file that is taken in again
replaces what changed and leaves alone what did not, and keeps the tags that users gave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from atom_backend.clock import Clock, SystemClock
from atom_backend.domain.calendar.agenda import Window
from atom_backend.domain.calendar.calendar_files import ImportedEvent, RefusedComponent
from atom_backend.domain.calendar.events import Event
from atom_backend.domain.calendar.local_time import zone
from atom_backend.domain.calendar.occurrences import occurrences
from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.ports import CalendarFiles
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.event_values import event_of, values_of
from atom_backend.domain.resources.events import EVENTS
from atom_backend.domain.resources.listing import Condition, Listing, Match
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import RequestError
from atom_backend.services.calendars import meeting
from atom_backend.services.records import RecordService

_PAGE = 500
_KEPT = ("tags", "metadata", "source")
"""What no calendar file says, and so none takes away."""

_NO_UID = "it has no UID: the one that it is given is made of what it says"
_LAST_ID = UUID(int=2**128 - 1)

Outcome = Literal["created", "replaced", "unchanged", "refused"]
_OUTCOMES: dict[str, Outcome] = {
    "new": "created",
    "replaced": "replaced",
    "unchanged": "unchanged",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a part of a file that begins on ``line``, from 1."""

    line: int
    component: str
    outcome: Outcome
    id: UUID | None = None
    uid: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


class CalendarExchange:
    """Import and export of one owner's events."""

    def __init__(
        self, records: RecordService, files: CalendarFiles, clock: Clock | None = None
    ) -> None:
        self._records = records
        self.files = files
        self._clock = clock or SystemClock()

    def take(
        self, principal: Principal, content: bytes, *, time_zone: str, calendar: str | None
    ) -> Iterator[Taken]:
        """The outcomes in the order of the file, each event stored by itself.

        ``calendar`` goes before the name that the file gives itself. Raises at once, before
        anything is stored, what ``CalendarFiles.read`` raises.
        """
        zone(time_zone)
        found = self.files.read(content, time_zone=time_zone)
        parts: list[ImportedEvent | RefusedComponent] = [*found.events, *found.refusals]
        parts.sort(key=lambda one: one.line)
        return (self._taken(principal, one, calendar) for one in parts)

    def give(
        self, principal: Principal, *, window: Window | None, calendar: str | None
    ) -> Iterator[bytes]:
        """The events as one file, those of each calendar together.

        ``window`` leaves out the events, series as a whole, that do not take place in it.
        """
        found = (
            (one.values["uid"] or one.values["external_id"] or str(one.id), event)
            for one in self._stored(principal, window, calendar)
            if (event := event_of(one.values)) and (window is None or _within(event, window))
        )
        return self.files.write(found, written_at=self._clock.now())

    def _taken(
        self, principal: Principal, part: ImportedEvent | RefusedComponent, calendar: str | None
    ) -> Taken:
        if isinstance(part, RefusedComponent):
            return Taken(part.line, part.component, "refused", reason=part.reason)
        event, notes = part.event, part.notes
        if event.uid is None:
            event, notes = replace(event, uid=_content_of(event)), (*notes, _NO_UID)
        if calendar is not None:
            event = replace(event, calendar=calendar)
        told = Taken(part.line, "VEVENT", "refused", uid=event.uid, notes=notes)
        given = values_of(event) | {"external_id": external_id(event)}
        try:
            put = self._records.put(principal, EVENTS, given, keeping=_KEPT)
        except RequestError as error:
            return replace(told, reason=error.message)
        outcome = _OUTCOMES[put.outcome]
        return replace(told, outcome=outcome, id=put.record.id)

    def _stored(
        self, principal: Principal, window: Window | None, calendar: str | None
    ) -> Iterator[Record]:
        conditions = () if window is None else meeting(window)
        for name in [calendar] if calendar is not None else self._calendars(principal):
            named = Condition("calendar", Match.EMPTY if name is None else Match.EQUAL, name)
            query = Listing(_PAGE, (named, *conditions), descending=False)
            while page := self._records.listing(principal, EVENTS, query):
                yield from page
                query = replace(query, after=(None, page[-1].id))

    def _calendars(self, principal: Principal) -> Iterator[str | None]:
        """Their names, and then that of no calendar; from each an index leads to the next."""
        query = Listing(1, sort="calendar", descending=False)
        while page := self._records.listing(principal, EVENTS, query):
            name = page[0].values["calendar"]
            if name is None:
                break
            yield name
            query = replace(query, after=(name, _LAST_ID))
        yield None


def external_id(event: Event) -> str:
    """What the event of a file is called here: its UID, within its calendar.

    Two calendars may each have a copy of one event (RFC 4791, section 4.1).
    """
    name = event.uid or _content_of(event)
    if event.calendar is not None:
        name = f"{event.calendar.replace('%', '%25').replace('/', '%2F')}/{name}"
    return name if len(name) <= NAME_CHARS else hashlib.sha256(name.encode()).hexdigest()


def _content_of(event: Event) -> str:
    return hashlib.sha256(repr(replace(event, calendar=None)).encode()).hexdigest()


def _within(event: Event, window: Window) -> bool:
    return bool(occurrences(event, window.start, window.end, 1))
