"""Calendar files over REST, in and out, and the time that is taken.

Invariant: an import answers every part of its file by a line, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

from flask import Response

from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.events import EVENTS
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.errors import to_the_end
from atom_backend.http.lines import NDJSON
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.calendar_shapes import (
    ICALENDAR,
    BusyAnswer,
    BusyInterval,
    BusyQuery,
    CalendarBody,
    CalendarUpload,
    ExportQuery,
    ImportLine,
    ImportQuery,
    window_of,
)
from atom_backend.services.calendar_exchange import Taken

routes = Routes(EVENTS.name, EVENTS.about)


@routes.add(
    "POST",
    "/v1/events/import",
    Answer(200, "One line for each part of the file.", ImportLine, NDJSON),
    needs=Scope.RECORDS_WRITE,
)
def import_events(call: Call[ImportQuery, CalendarBody | CalendarUpload]) -> Response:
    """Store the events of a calendar file.

    The file is the body, or the part `file` of a form. An event whose UID is known in its calendar
    is replaced, with its tags and metadata kept, or left alone where nothing changed: so an import
    can be sent again. What cannot be read is refused by itself, with its line and the reason.
    """
    taken = call.services.calendar_exchange.take(
        call.principal,
        call.body.content,
        time_zone=call.query.time_zone,
        calendar=call.query.calendar,
    )
    lines = to_the_end(
        map(_line, taken), lambda problem: _written(ImportLine(line=None, error=problem))
    )
    return Response(lines, content_type=NDJSON)


def _line(taken: Taken) -> bytes:
    return _written(ImportLine(**asdict(taken)))


def _written(line: ImportLine) -> bytes:
    return line.model_dump_json(exclude_none=True).encode() + b"\n"


def _export(call: Call[Any, Any]) -> Response:
    pieces: Iterator[bytes] = call.services.calendar_exchange.give(
        call.principal, window=window_of(call.query), calendar=call.query.calendar
    )
    # What fails before the first piece can still be answered by its status.
    whole = chain([next(pieces)], pieces)
    named = {"Content-Disposition": 'attachment; filename="events.ics"'}
    return Response(whole, content_type=f"{ICALENDAR}; charset=utf-8", headers=named)


def _busy(call: Call[Any, Any]) -> Response:
    window = window_of(call.query)
    assert window is not None
    taken = call.services.calendars.busy(call.principal, window, call.query.calendar)
    return json_reply(BusyAnswer(busy=tuple(map(BusyInterval.model_validate, taken))))


routes.made(
    "export_events",
    "A calendar file (iCalendar, RFC 5545) of all events, or of some.\n\n"
    "Series are given as a whole. Each calendar is a VCALENDAR by itself.",
    "GET /v1/events/export",
    Answer(
        200,
        "The file.",
        str,
        ICALENDAR,
        headers={"Content-Disposition": "A name for the file."},
    ),
    handler=_export,
    needs=Scope.RECORDS_READ,
    query=ExportQuery,
)
routes.made(
    "read_free_busy",
    "The time that events take, merged.\n\n"
    "What is cancelled or transparent takes none. 422 `too_many_occurrences` for too long a time.",
    "GET /v1/events/free-busy",
    Answer(200, "What is taken; all else is free.", BusyAnswer),
    handler=_busy,
    needs=Scope.RECORDS_READ,
    query=BusyQuery,
)
