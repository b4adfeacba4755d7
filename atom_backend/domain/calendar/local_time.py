"""Between the clock on the wall of a time zone and instants.

Invariant: instants carry a fixed offset or UTC, never a ``ZoneInfo``: two times of one zone are
subtracted and compared by their wall clocks (PEP 495), which is wrong by an hour across a change.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from atom_backend.errors import FieldProblem, InvalidInput

_NO_PLACES = {"Factory", "localtime"}
"""Names of the database that stand for no zone, or for that of this machine."""


def known_zone(name: str) -> bool:
    """Whether this is a name of the IANA time zone database, written as there."""
    return name in _names()


def zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises InvalidInput with a problem at ``/time_zone``."""
    if not known_zone(name):
        detail = "must be a name of the IANA time zone database, such as Europe/Berlin or UTC"
        raise InvalidInput(f"time_zone: {detail}.", problems=[FieldProblem("/time_zone", detail)])
    return ZoneInfo(name)


def aware(local: datetime, place: ZoneInfo) -> datetime:
    """The instant, in UTC, at which the clocks of ``place`` show ``local``.

    Where clocks are put back and show it twice, the first time counts. Where they are put forward
    and never show it, it is read with the offset from before the change: 02:30 becomes 03:30.
    (RFC 5545, section 3.3.5.) Raises OverflowError at the ends of the years 1 and 9999.
    """
    return local.replace(tzinfo=place, fold=0).astimezone(UTC)


def midnight(day: date, place: ZoneInfo) -> datetime:
    """The instant, in UTC, at which ``day`` begins in ``place``, by the rule of ``aware``."""
    return aware(datetime(day.year, day.month, day.day), place)


def wall_clock(instant: datetime, place: ZoneInfo) -> datetime:
    """What the clocks of ``place`` show then, without an offset."""
    return instant.astimezone(place).replace(tzinfo=None, fold=0)


def with_offset(instant: datetime, place: ZoneInfo) -> datetime:
    """The same instant with the offset that ``place`` then has."""
    local = instant.astimezone(place)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)), fold=0)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)
