"""Which records a list shows, in which order, and the query parameters that say so.

Invariant: a field without a value satisfies no condition but ``NONE_OF`` and ``EMPTY``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID


class Match(StrEnum):
    """How a query parameter is held against a field."""

    EQUAL = "equal"
    FROM = "from"
    UNTIL = "until"
    HOLDS = "holds"
    WORDS = "words"
    NONE_OF = "none of"
    EMPTY = "empty"
    UNDERWAY = "underway"


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter of the list. ``UNTIL`` excludes its value, ``FROM`` includes it."""

    name: str
    field: str
    test: Match
    about: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter with its value; ``EMPTY`` needs none.

    What is ``UNDERWAY`` at a time has begun to happen before, and is not over then.
    """

    field: str
    test: Match
    value: Any = None


NOW: Final = object()
"""A condition's value that stands for the moment at which it is tested."""

INDEX_STATE: Final = "index_state"
"""What a condition names as if it were a field: how far the index is with a searchable record."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A query parameter that is true or false: whether all these conditions hold."""

    name: str
    about: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NotAll:
    """Holds where at least one of the conditions does not."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which records to list, and in which order: by ``sort``, then by identifier.

    ``after``: the sort value and the identifier of the last record of the page before.
    """

    limit: int
    conditions: tuple[Condition | NotAll, ...] = ()
    sort: str = "created_at"
    descending: bool = True
    after: tuple[Any, UUID] | None = None
