"""What a resource is: a declaration from which storage, service, addresses and schemas are made.

Invariant: nothing outside a declaration and its rules knows one resource from another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from atom_backend.domain import limits
from atom_backend.domain.items import Kind
from atom_backend.domain.resources.fields import Field, Json, Tags, Text
from atom_backend.domain.resources.listing import Filter, Flag
from atom_backend.domain.resources.rules import Rules, Values

COMMON = (
    Field("source", Text(limits.NAME_CHARS), "The system that it comes from."),
    Field("external_id", Text(limits.NAME_CHARS), "Its name in that system; unique by kind."),
    Field("tags", Tags(), "Words to find it by.", default=()),
    Field("metadata", Json(), "Anything else, as a JSON object.", default={}),
)
"""What every resource has besides its own fields."""


@dataclass(frozen=True, slots=True)
class Action:
    """A named change: ``POST /v1/<resource>/{id}/<name>`` writes these values."""

    name: str
    about: str
    patch: Values


@dataclass(frozen=True, slots=True)
class Said:
    """What the index reads of an item: its title, its text, and the item's own time.

    ``over_at`` is for what lasts, or takes place again: the first instant after all of it.
    """

    title: str
    text: str
    happens_at: datetime | None = None
    over_at: datetime | None = None


def _as_stored(values: Values) -> Values:
    return values


@dataclass(frozen=True, eq=False)
class Resource:
    """``name`` stands in addresses and is its table's; ``one`` is what one of them is called.

    ``says``: what searches read of one; without it, it is plain: kept in a table of its own, and
    never indexed. A searchable one's ``one`` is a ``Kind``. ``shows`` makes the answered values of
    the stored ones. ``sorts``: the fields that a list may be ordered by, besides its creation.
    ``unique``: the fields of a plain one that two records of an owner never have all alike.
    ``most``: how many records one owner may have. ``keyed``: a record has its external identifier
    for an address, and routes of its own. ``example``: what the API document shows of one.
    """

    name: str
    one: str
    about: str
    own: tuple[Field, ...]
    says: Callable[[Values], Said] | None = None
    shows: Callable[[Values], Values] = _as_stored
    filters: tuple[Filter, ...] = ()
    flags: tuple[Flag, ...] = ()
    sorts: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    most: int | None = None
    keyed: bool = False
    actions: tuple[Action, ...] = ()
    rules: Rules = field(default_factory=Rules)
    example: Values = field(default_factory=dict)

    @property
    def searchable(self) -> bool:
        return self.says is not None

    @property
    def kind(self) -> Kind:
        """The kind of its items. Raises ValueError for a plain resource."""
        return Kind(self.one)

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*self.own, *COMMON)

    def field(self, name: str) -> Field:
        """Raises KeyError."""
        return {one.name: one for one in self.fields}[name]
