"""Between the stored values of an event and the event itself.

Invariant: ``values_of(event_of(values))`` are the values again, but for what an ``Event`` has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from atom_backend.domain.calendar.events import (
    Attendee,
    Event,
    EventStatus,
    Override,
    Participation,
    Role,
)
from atom_backend.domain.calendar.local_time import aware, with_offset, zone
from atom_backend.domain.resources.rules import Values, refused

_PLAIN = (
    *("title", "starts_at", "ends_at", "time_zone", "all_day", "floating", "description"),
    *("location", "recurrence", "exceptions", "added", "transparent", "calendar"),
)
_TIMES = ("starts_at", "ends_at")
_LISTS = ("exceptions", "added")
_OVERRIDE_TIMES = ("original_start", "starts_at", "ends_at")


def event_of(values: Values) -> Event:
    """The event that stored values, whose times are instants, describe."""
    return Event(
        **{name: values[name] for name in _PLAIN},
        overrides=tuple(_override(one) for one in values["overrides"]),
        attendees=_attendees(values["attendees"]),
        status=EventStatus(values["status"]),
        uid=values["uid"],
    )


def values_of(event: Event) -> dict[str, Any]:
    """The values of the fields that say when, what and with whom."""
    return {
        **{name: getattr(event, name) for name in _PLAIN},
        "overrides": tuple(asdict(one) for one in event.overrides),
        "attendees": tuple(asdict(one) for one in event.attendees),
        "status": event.status,
        "uid": event.uid,
    }


def as_instants(values: Values) -> dict[str, Any]:
    """The values with all their times in UTC; a time without an offset is one of ``time_zone``.

    Raises InvalidInput for a zone that there is not, and for a time at the ends of the calendar.
    """
    place = zone(values["time_zone"])

    def instant(name: str, moment: datetime) -> datetime:
        try:
            return aware(moment, place) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            raise refused(name, "This lies at the end of the calendar.") from None

    return _with_times(values, instant)


def with_offsets(values: Values) -> dict[str, Any]:
    """The values with all their times as the clocks of ``time_zone`` show them."""
    place = ZoneInfo(values["time_zone"])
    return _with_times(values, lambda _, moment: with_offset(moment, place))


def _with_times(values: Values, change: Callable[[str, datetime], datetime]) -> dict[str, Any]:
    """``change`` is told where a time stands, and the time."""
    changed = dict(values)
    for name in _TIMES:
        changed[name] = change(name, values[name])
    for name in _LISTS:
        several = enumerate(values[name])
        changed[name] = tuple(change(f"{name}/{place}", one) for place, one in several)
    changed["overrides"] = tuple(
        one
        | {
            name: change(f"overrides/{place}/{name}", one[name])
            for name in _OVERRIDE_TIMES
            if one[name] is not None
        }
        for place, one in enumerate(values["overrides"])
    )
    return changed


def _override(values: Mapping[str, Any]) -> Override:
    attendees, status = values["attendees"], values["status"]
    return Override(
        **{
            **values,
            "attendees": None if attendees is None else _attendees(attendees),
            "status": None if status is None else EventStatus(status),
        }
    )


def _attendees(given: tuple[Mapping[str, Any], ...]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(
            one["address"],
            one["name"],
            Participation(one["participation"]),
            Role(one["role"]),
        )
        for one in given
    )
