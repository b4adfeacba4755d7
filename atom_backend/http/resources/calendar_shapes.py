"""What requests about calendar files and busy time say, and what they are answered."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from flask import Request
from pydantic import BaseModel, ConfigDict, Field, RootModel

from atom_backend.domain.calendar.agenda import Window
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST
from atom_backend.errors import FieldProblem, InvalidInput
from atom_backend.http.body_stream import BodyStream
from atom_backend.http.fields import Moment, Name, text_of
from atom_backend.http.forms import FormBody, UploadedFile
from atom_backend.http.problems import Problem
from atom_backend.http.queries import Parameters
from atom_backend.http.resources.record_shapes import model_of

ICALENDAR = "text/calendar"
_ZONE_CHARS = 64


class CalendarUpload(FormBody):
    """A calendar file (iCalendar, RFC 5545)."""

    file: UploadedFile

    @property
    def content(self) -> bytes:
        return self.file.content


class _CalendarText(RootModel[str]):
    """A calendar file (iCalendar, RFC 5545)."""


class CalendarBody:
    """The file itself as the body."""

    media_types: ClassVar[tuple[str, ...]] = (ICALENDAR,)
    large: ClassVar[bool] = True

    def __init__(self, content: bytes) -> None:
        self.content = content

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        return cls(BodyStream(request, limit).read_all())

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        return _CalendarText


class ImportQuery(Parameters):
    """How to read a file. `time_zone`: an IANA name; whole days, and times without a zone, are
    reckoned there. `calendar` goes before the name that the file gives itself.
    """

    time_zone: text_of(_ZONE_CHARS) = "UTC"  # type: ignore[valid-type]
    calendar: Name | None = None


class ImportLine(BaseModel):
    """What became of one part of the file. `notes` say what of an event could not be kept.

    `line` is where it begins in the file; null, with `error`, if the request itself broke off.
    """

    line: int | None
    component: str | None = None
    outcome: Literal["created", "replaced", "unchanged", "refused"] | None = None
    id: UUID | None = None
    uid: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    error: Problem | None = None


class BusyInterval(BaseModel):
    """Half-open: `end` is free again."""

    model_config = ConfigDict(from_attributes=True)

    start: Moment
    end: Moment


class BusyAnswer(BaseModel):
    """The time that is taken, merged and in order."""

    busy: tuple[BusyInterval, ...]


def _told(*, required: bool, **about: str) -> dict[str, Any]:
    """Fields for times; one of them is called by a word of Python's."""
    kind: Any = Moment if required else Moment | None
    default = ... if required else None
    return {name.strip("_"): (kind, Field(default, description=one)) for name, one in about.items()}


LIST_WINDOW = _told(
    required=False,
    from_="Unroll all series, and list instances that are not over then.",
    to="Unroll all series, and list instances that begin earlier.",
)
ExportQuery = model_of(
    "EventExportQuery",
    Parameters,
    {"calendar": (Name | None, Field(None, description="Only the events of this calendar."))}
    | _told(
        required=False,
        from_="Only events with an instance that is not over then.",
        to="Only events with an instance that begins earlier.",
    ),
    "Which events to export.",
)
BusyQuery = model_of(
    "FreeBusyQuery",
    Parameters,
    _told(required=True, from_="From when.", to="Until when.")
    | {"calendar": (tuple[Name, ...], Field((), description="Of these; repeated; else of all."))},
    "Which time, of which calendars.",
)


def window_of(query: Any) -> Window | None:
    """The times that a query asks for; None where it names none. Raises InvalidInput."""
    start, end = getattr(query, "from"), query.to
    if start is None and end is None:
        return None
    if start is not None and end is not None and end <= start:
        raise InvalidInput(problems=[FieldProblem("/to", "This must be later than from.")])
    return Window(start or EARLIEST, end or LATEST)
