"""Calendar files for the service: read by the confined process, written here.

Invariant: no byte of a calendar that came from outside is parsed in this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from atom_backend.domain.calendar.calendar_files import CalendarImport
from atom_backend.domain.calendar.events import Event
from atom_backend.extraction.calendars import parser
from atom_backend.extraction.calendars.ics_writing import write_calendars
from atom_backend.extraction.media import CALENDAR
from atom_backend.extraction.pool import SandboxPool
from atom_backend.extraction.sandbox import Request

_MAX_CHARS = 50_000_000
"""What was found in a file of ten megabytes may be written larger than it was."""


class ConfinedCalendarFiles:
    """Fills the port ``CalendarFiles``; for any number of threads."""

    def __init__(self, pool: SandboxPool) -> None:
        self._pool = pool

    def read(self, content: bytes, *, time_zone: str) -> CalendarImport:
        """Raises UnsupportedMedia for what is no calendar; TooLarge; InvalidInput for an unknown
        zone, an encoding that cannot be told, or ``extraction_limit``; DependencyError
        ``extractor_unavailable``.
        """
        answer = self._pool.ask(Request(content, CALENDAR, _MAX_CHARS, {"time_zone": time_zone}))
        if answer.refusal is not None:
            raise answer.refusal
        return parser.found(answer.text)

    def write(
        self, events: Iterable[tuple[str, Event]], *, written_at: datetime
    ) -> Iterator[bytes]:
        """As ``write_calendars`` does."""
        return write_calendars(events, written_at=written_at)
