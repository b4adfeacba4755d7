"""The types of a resource's fields.

From one type come the column, the rule that a request is checked by, and the schema in the API
document. Invariant: what a type admits can be stored: no NUL, no lone surrogate, no size without
a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not blank, of at most so many code points."""

    longest: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from ``least`` to ``most``, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Share:
    """A number from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time with its zone, kept in UTC to the microsecond."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The identifier of an item; its rules say which items it may name."""


@dataclass(frozen=True, slots=True)
class Tags:
    """A list of distinct short words."""


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON object within the bounds of ``domain.metadata``; a patch is merged into it."""


FieldType = Text | Choice | Whole | Share | Moment | Reference | Tags | Json


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``required``: must be given, and cannot be cleared. ``given``: users write it;
    else only the resource's rules do, and users read it."""

    name: str
    type: FieldType
    about: str
    required: bool = False
    default: Any = None
    given: bool = True

    @property
    def nullable(self) -> bool:
        """Whether it may have no value: it is not required and has no default."""
        return not self.required and self.default is None
