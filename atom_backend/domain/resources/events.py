"""Events of calendars: what takes place, when, how often, and with whom.

Invariant: what is stored passes ``event_checks``, and so can be unrolled and exported; its times
are instants, and its span holds all of its instances.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from atom_backend.domain.calendar.event_checks import (
    DESCRIPTION_CHARS,
    MOST_ATTENDEES,
    MOST_DATES,
    MOST_OVERRIDES,
    problems,
)
from atom_backend.domain.calendar.events import EventStatus, Participation, Role
from atom_backend.domain.calendar.recurrence_rules import LONGEST, plain
from atom_backend.domain.calendar.span import span
from atom_backend.domain.items import Kind
from atom_backend.domain.limits import NAME_CHARS, TITLE_CHARS
from atom_backend.domain.resources.event_values import as_instants, event_of, with_offsets
from atom_backend.domain.resources.fields import (
    Choice,
    Field,
    Many,
    Structure,
    Text,
    Truth,
    WallTime,
)
from atom_backend.domain.resources.listing import Filter, Match
from atom_backend.domain.resources.resource import Resource, Said
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values
from atom_backend.errors import InvalidInput

_UNTITLED = "Event"
"""What is indexed of an event that says nothing."""

_STATUS = Choice(tuple(EventStatus))
_TITLE = Text(TITLE_CHARS, blank=True)
_DESCRIPTION = Text(DESCRIPTION_CHARS, blank=True)

ATTENDEE = Structure(
    "Attendee",
    (
        Field("address", Text(NAME_CHARS), "A mail address, or another URI.", required=True),
        Field("name", Text(NAME_CHARS, blank=True), "What the attendee is called."),
        Field(
            "participation",
            Choice(tuple(Participation)),
            "What was answered.",
            default=Participation.NEEDS_ACTION.value,
        ),
        Field("role", Choice(tuple(Role)), "What for.", default=Role.REQUIRED.value),
    ),
)

OVERRIDE = Structure(
    "EventOverride",
    (
        Field("original_start", WallTime(), "When it would have begun.", required=True),
        Field("cancelled", Truth(), "Whether it does not take place.", default=False),
        Field("starts_at", WallTime(), "When it begins; given together with ends_at."),
        Field("ends_at", WallTime(), "When it is over."),
        Field("all_day", Truth(), "Whether it lasts whole days."),
        Field("title", _TITLE, "What it is called; null as the series."),
        Field("description", _DESCRIPTION, "Everything else; null as the series."),
        Field("location", _TITLE, "Where it is; null as the series."),
        Field("attendees", Many(ATTENDEE, MOST_ATTENDEES), "Who is invited; null as the series."),
        Field("status", _STATUS, "Whether it is settled; null as the series."),
        Field("transparent", Truth(), "Whether it leaves its time free; null as the series."),
    ),
)


class EventRules(Rules):
    """Times become instants, and all that an event must be is checked."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        settled = as_instants(values)
        if settled["recurrence"] is not None:
            settled["recurrence"] = plain(settled["recurrence"])
        found = problems(event_of(settled))
        if found:
            raise InvalidInput(
                problems=[replace(one, detail=_sentence(one.detail)) for one in found]
            )
        differing = ("recurrence", "exceptions", "added", "overrides")
        settled["series"] = any(settled[name] for name in differing)
        return Settled(settled)


def _sentence(detail: str) -> str:
    return f"{detail[0].upper()}{detail[1:].removesuffix('.')}."


def _says(values: Values) -> Said:
    people = ", ".join(
        f"{one['name']} <{one['address']}>" if one["name"] else one["address"]
        for one in values["attendees"]
    )
    parts = (values["description"], values["location"], people)
    text = "\n\n".join(part for part in parts if part.strip())
    when = span(event_of(values))
    return Said(values["title"], text or values["title"] or _UNTITLED, when.start, when.end)


EVENTS = Resource(
    name="events",
    one=Kind.EVENT,
    about="What takes place: single events, and series of them.",
    own=(
        Field("title", _TITLE, "What it is called.", default=""),
        Field("description", _DESCRIPTION, "Everything else there is to say.", default=""),
        Field("location", _TITLE, "Where it is.", default=""),
        Field("starts_at", WallTime(), "When it begins.", required=True),
        Field("ends_at", WallTime(), "The first instant after it.", required=True),
        Field("all_day", Truth(), "Whether it lasts whole days of its zone.", default=False),
        Field("time_zone", Text(64), "By whose clocks it repeats: an IANA name.", default="UTC"),
        Field("floating", Truth(), "Whether its times hold wherever one is.", default=False),
        Field("recurrence", Text(LONGEST), "How it repeats: an RRULE (RFC 5545)."),
        Field("exceptions", Many(WallTime(), MOST_DATES), "Starts left out (EXDATE).", default=()),
        Field("added", Many(WallTime(), MOST_DATES), "Further starts (RDATE).", default=()),
        Field(
            "overrides",
            Many(OVERRIDE, MOST_OVERRIDES),
            "Instances that differ from their series (RECURRENCE-ID).",
            default=(),
        ),
        Field("series", Truth(), "Whether any of these four is there.", default=False, given=False),
        Field("attendees", Many(ATTENDEE, MOST_ATTENDEES), "Who is invited.", default=()),
        Field("status", _STATUS, "Whether it is settled.", default=EventStatus.CONFIRMED.value),
        Field("transparent", Truth(), "Whether it leaves its time free.", default=False),
        Field("calendar", Text(NAME_CHARS), "The calendar that it stands in."),
        Field("uid", Text(NAME_CHARS), "What calendar files call it (UID)."),
    ),
    says=_says,
    shows=with_offsets,
    filters=(
        Filter("calendar", "calendar", Match.EQUAL, "Stands in this calendar."),
        Filter("status", "status", Match.EQUAL, "Is so settled."),
        Filter("series", "series", Match.EQUAL, "Whether it is a series."),
        Filter("uid", "uid", Match.EQUAL, "Is called so by calendar files."),
        Filter("starts_after", "starts_at", Match.FROM, "It, or its series, begins then or later."),
        Filter("starts_before", "starts_at", Match.UNTIL, "It, or its series, begins earlier."),
        Filter("text", "text", Match.WORDS, "All of these words are in what it says."),
    ),
    sorts=("starts_at", "title"),
    rules=EventRules(),
)
