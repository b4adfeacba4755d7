"""Events over REST where they differ from other resources: the list that unrolls series.

Invariant: a list of instances is ordered by their starts, and its cursors continue no other list.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from flask import Response
from pydantic import BaseModel, Field

from atom_backend.domain.calendar.agenda import Instance, Place
from atom_backend.domain.calendar.events import EventStatus
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST, Occurrence
from atom_backend.domain.resources.listing import Condition
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import FieldProblem, InvalidInput, MalformedRequest
from atom_backend.http import cursors
from atom_backend.http.contract import Call
from atom_backend.http.fields import ZonedTime
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.calendar_shapes import LIST_WINDOW, window_of
from atom_backend.http.resources.record_face import Face
from atom_backend.http.resources.record_shapes import NEWEST_FIRST, Shapes, model_of, shapes_of

_OF_SERIES = ("exceptions", "added", "overrides")
_ORDER = "instances"


@dataclass(frozen=True)
class EventFace(Face):
    """The handlers of events; ``instance`` is how one instance is answered."""

    instance: type[BaseModel]

    @classmethod
    def of(cls, resource: Resource) -> Self:
        shapes = shapes_of(resource)
        instance: Any = _instance_model(shapes)
        stored: Any = shapes.brief
        listed = {"items": (list[stored] | list[instance], ...), "next_cursor": (str | None, ...)}
        about = "Stored events, or instances. `next_cursor` is null on the last page."
        shapes = replace(
            shapes,
            query=model_of("EventQuery", shapes.query, LIST_WINDOW, "Which to list."),
            page=model_of("EventPage", BaseModel, listed, about),
        )
        return cls(resource, shapes, instance)

    def list(self, call: Call[Any, Any]) -> Response:
        query = call.query
        window = window_of(query)
        if window is None:
            return super().list(call)
        if query.sort not in (NEWEST_FIRST, "starts_at"):
            detail = "Between two times, events are listed by their start."
            raise InvalidInput(problems=[FieldProblem("/sort", detail)])
        conditions = (
            one
            for one in self._conditions(query)
            if not (isinstance(one, Condition) and one.field == "status")
        )
        found = call.services.calendars.instances(
            call.principal,
            window,
            query.limit + 1,
            conditions=tuple(conditions),
            status=None if query.status is None else EventStatus(query.status),
            after=query.cursor and _read_place(query.cursor),
        )
        shown, cursor = found[: query.limit], None
        if len(found) > query.limit:
            cursor = _write_place(shown[-1].place)
        page = {"items": [self._shown(one) for one in shown], "next_cursor": cursor}
        reply = json_reply(self.shapes.page(**page))
        if cursor:
            given = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
            address = f"{call.root}/v1/{self.resource.name}?{urlencode(given)}"
            reply.headers["Link"] = f'<{address}>; rel="next"'
        return reply

    def _shown(self, instance: Instance[Record]) -> BaseModel:
        record, one = instance.source, instance.occurrence
        about = {name: getattr(record, name) for name in self.shapes.about}
        return self.instance(**about, **{**record.values, **_differing(one)})


def _instance_model(shapes: Shapes) -> type[BaseModel]:
    """An event without what is said of its other instances."""
    fields = {
        name: (field.annotation, field)
        for name, field in shapes.answer.model_fields.items()
        if name not in _OF_SERIES
    }
    start = (ZonedTime, Field(description="When its series would have it begin: its name there."))
    about = "One instance; `id` is its event's, and `recurrence` that of its series."
    return model_of("EventInstance", BaseModel, fields | {"original_start": start}, about)


def _differing(one: Occurrence) -> dict[str, Any]:
    own = {} if one.override is None else asdict(one.override)
    times = {"starts_at": one.start, "ends_at": one.end, "original_start": one.original_start}
    return {name: value for name, value in own.items() if value is not None} | times


def _write_place(place: Place) -> str:
    value = f"{place.start.isoformat()} {place.original_start.isoformat()}"
    return cursors.after_sorted(_ORDER, value, place.event_id)


def _read_place(cursor: str) -> Place:
    """Raises MalformedRequest (code ``invalid_cursor``)."""
    value, event_id = cursors.read_sorted(cursor, _ORDER)
    try:
        start, original = map(datetime.fromisoformat, str(value).split(" "))
        place = Place(start, event_id, original)
        if all(EARLIEST <= one < LATEST for one in (start, original)):
            return place
    except (ValueError, TypeError):
        pass
    raise MalformedRequest("This cursor belongs to another list.", code="invalid_cursor")
