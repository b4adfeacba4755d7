"""What the demonstration is made of: records to store, and days to place them on.

Invariant: the same day gives the same pieces, under the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class Named:
    """Stands for the identifier of another piece."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A record to store; ``name`` becomes its external identifier."""

    resource: str
    name: str
    values: Mapping[str, Any]


class Days:
    """Moments around one day, in UTC."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._monday = today - timedelta(days=today.weekday())

    def at(self, days: int, clock: str = "09:00") -> datetime:
        """So many days from today; before it, if below zero."""
        return _moment(self._today + timedelta(days=days), clock)

    def last_week(self, weekday: int, clock: str = "09:00") -> datetime:
        """On a day of the week before this one; Monday is 0."""
        return _moment(self._monday + timedelta(days=weekday - 7), clock)

    @property
    def bounds_of_last_week(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first after it."""
        return self.last_week(0, "00:00"), self.last_week(7, "00:00")

    def months_ago(self, months: int, day: int) -> datetime:
        """On that day of an earlier month."""
        months_since_0 = self._today.year * 12 + self._today.month - 1 - months
        year, month = divmod(months_since_0, 12)
        return _moment(date(year, month + 1, day), "12:00")


def named(resource: str, pieces: Mapping[str, Mapping[str, Any]]) -> Iterator[Piece]:
    """Pieces of one resource, by their names."""
    for name, values in pieces.items():
        yield Piece(resource, f"{SOURCE}/{name}", {"source": SOURCE, **values})


def _moment(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), UTC)
