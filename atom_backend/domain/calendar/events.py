"""Events of a calendar, as values: what a user gives, and what is stored.

Times are instants, in UTC or with a fixed offset; ``time_zone`` says by which clock on the wall
they repeat. What an instance of
a series has of its own stands in an ``Override``, under the instant at which it would have begun.
Invariant: an event that passes ``event_checks.problems`` can be stored, repeated and exported.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventStatus(StrEnum):
    """RFC 5545, section 3.8.1.11."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Participation(StrEnum):
    """What an attendee has answered: RFC 5545, section 3.2.12."""

    NEEDS_ACTION = "needs_action"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"
    DELEGATED = "delegated"


class Role(StrEnum):
    """What an attendee is there for: RFC 5545, section 3.2.16."""

    CHAIR = "chair"
    REQUIRED = "required"
    OPTIONAL = "optional"
    NON_PARTICIPANT = "non_participant"


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who is invited. ``address`` is a mail address, or a URI of another scheme than mailto."""

    address: str
    name: str | None = None
    participation: Participation = Participation.NEEDS_ACTION
    role: Role = Role.REQUIRED


@dataclass(frozen=True, slots=True)
class Override:
    """One instance of a series that differs; ``None`` is what it shares with the series.

    ``original_start`` is when it would have begun. ``starts_at`` and ``ends_at`` are given both or
    neither. A cancelled instance does not take place at all.
    """

    original_start: datetime
    cancelled: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool | None = None
    title: str | None = None
    description: str | None = None
    location: str | None = None
    attendees: tuple[Attendee, ...] | None = None
    status: EventStatus | None = None
    transparent: bool | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event, or a whole series.

    ``ends_at`` is the first instant after it. An event that is ``all_day`` begins and ends with
    days of ``time_zone``. ``floating``: its wall clock holds wherever one is (RFC 5545, section
    3.3.5, form 1), and ``time_zone`` only says where it is reckoned. ``transparent`` events leave
    their time free. ``recurrence`` is the value of an RRULE; ``exceptions`` are starts that are
    left out (EXDATE), ``added`` are further ones (RDATE).
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str = "UTC"
    all_day: bool = False
    floating: bool = False
    description: str = ""
    location: str = ""
    recurrence: str | None = None
    exceptions: tuple[datetime, ...] = ()
    added: tuple[datetime, ...] = ()
    overrides: tuple[Override, ...] = ()
    attendees: tuple[Attendee, ...] = ()
    status: EventStatus = EventStatus.CONFIRMED
    transparent: bool = False
    calendar: str | None = None
    uid: str | None = None
