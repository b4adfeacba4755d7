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
    """A text of at most so many code points, which is not blank unless ``blank``; all of it matches
    ``pattern``, a regular expression from ``^`` to ``$``.
    """

    longest: int
    blank: bool = False
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words. ``open``: the service itself may find other ones."""

    words: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from ``least`` to ``most``, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Share:
    """A number from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact decimal number, a ``Decimal`` here and a string in JSON: ``domain.finance.money``.

    ``widest``: the digits that are kept, four of them after the point.
    """

    widest: int = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """A time with its zone, kept in UTC to the microsecond."""


@dataclass(frozen=True, slots=True)
class WallTime:
    """A time with its offset, or the time on a clock on the wall: a datetime without a zone.

    The resource's rules make an instant of either before it is stored, and its ``shows`` gives it
    the offset to be answered with.
    """


@dataclass(frozen=True, slots=True)
class Reference:
    """The identifier of a record; its rules say which it may name.

    ``within``: the resource of whose records this one is a part: it names one of them or is
    refused, and goes with it. ``repeats``: the fields of that record that this one has too, under
    the same names and with the same values.
    """

    within: str | None = None
    repeats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tags:
    """A list of distinct short words."""


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON object within the bounds of ``domain.metadata``; a patch is merged into it."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value within the bounds of ``domain.metadata``; a patch is merged into an object."""


@dataclass(frozen=True, eq=False, slots=True)
class Structure:
    """A JSON object with declared fields; ``name`` is its schema's; a patch replaces it whole."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """A list of at most ``most``; a patch replaces it as a whole."""

    of: Scalar | Structure
    most: int


Scalar = Text | Choice | Whole | Share | Truth | Amount | Moment | WallTime | Reference
FieldType = Scalar | Tags | Json | Anything | Structure | Many


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``required``: must be given, and cannot be cleared. ``given``: users write it;
    else only the resource's rules do, and users read it. ``apart``: too heavy to be read with the
    others; lists and answers leave it out. ``long``: only lists and searches leave it out.
    ``derived``: PostgreSQL makes it of other rows, and nobody else has the right to write it.
    """

    name: str
    type: FieldType
    about: str
    required: bool = False
    default: Any = None
    given: bool = True
    apart: bool = False
    long: bool = False
    derived: bool = False

    @property
    def nullable(self) -> bool:
        """Whether it may have no value: it is not required and has no default."""
        return not self.required and self.default is None
