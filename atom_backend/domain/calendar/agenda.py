"""The instances of many events, in the order in which they begin, a page at a time.

Invariant: pages follow each other without a gap or a repetition while the events stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from typing import Generic, TypeVar
from uuid import UUID

from atom_backend.domain.calendar.events import Event, EventStatus
from atom_backend.domain.calendar.occurrences import EARLIEST, LATEST, Occurrence, occurrences

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time."""

    start: datetime = EARLIEST
    end: datetime = LATEST


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an instance stands in the order: its start, its event, the name within its series."""

    start: datetime
    event_id: UUID
    original_start: datetime


@dataclass(frozen=True, slots=True)
class Instance(Generic[T]):
    """An occurrence of the event that ``source`` is; its place is in UTC."""

    place: Place
    source: T
    event: Event
    occurrence: Occurrence


def agenda(
    events: Iterable[tuple[UUID, T, Event]],
    window: Window,
    limit: int,
    *,
    after: Place | None = None,
    status: EventStatus | None = None,
) -> list[Instance[T]]:
    """The first ``limit`` instances that share time with the window, and come ``after``."""
    # Only instances that were moved can begin together: no more than they stand before ``after``.
    since = EARLIEST if after is None else after.start
    found = (
        Instance(_place(event_id, one), source, event, one)
        for event_id, source, event in events
        for one in occurrences(
            event,
            window.start,
            window.end,
            limit + 1 + len(event.overrides),
            since=since,
            status=status,
        )
        if after is None or _place(event_id, one) > after
    )
    return nsmallest(limit, found, key=lambda one: one.place)


def _place(event_id: UUID, one: Occurrence) -> Place:
    return Place(one.start.astimezone(UTC), event_id, one.original_start.astimezone(UTC))
