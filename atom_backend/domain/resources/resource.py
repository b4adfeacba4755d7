"""What a resource is: a declaration from which storage, service, addresses and schemas are made.

Invariant: nothing outside a declaration and its rules knows one resource from another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

from atom_backend.domain import limits
from atom_backend.domain.index_state import IndexState
from atom_backend.domain.items import Kind
from atom_backend.domain.resources.fields import Field, Json, Tags, Text
from atom_backend.errors import FieldProblem, InvalidInput

Values = Mapping[str, Any]
"""Field values by name."""

COMMON = (
    Field("source", Text(limits.NAME_CHARS), "The system that it comes from."),
    Field("external_id", Text(limits.NAME_CHARS), "Its name in that system; unique by kind."),
    Field("tags", Tags(), "Words to find it by.", default=()),
    Field("metadata", Json(), "Anything else, as a JSON object.", default={}),
)
"""What every resource has besides its own fields, and a title."""


class Match(StrEnum):
    """How a query parameter is held against a field."""

    EQUAL = "equal"
    FROM = "from"
    UNTIL = "until"
    HOLDS = "holds"
    WORDS = "words"
    NONE_OF = "none of"


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter of the list. ``UNTIL`` excludes its value, ``FROM`` includes it."""

    name: str
    field: str
    test: Match
    about: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter with its value. A field without a value satisfies no test but ``NONE_OF``."""

    field: str
    test: Match
    value: Any


NOW: Final = object()
"""A condition's value that stands for the moment at which it is tested."""


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
class Action:
    """A named change: ``POST /v1/<resource>/{id}/<name>`` writes these values."""

    name: str
    about: str
    patch: Values


@dataclass(frozen=True, slots=True)
class Said:
    """What the index reads of an item: its title, its text, and the item's own time."""

    title: str
    text: str
    happens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One stored item of a resource; ``title`` is the one that the index reads."""

    id: UUID
    owner_id: UUID
    revision: int
    content_revision: int
    content_hash: bytes
    title: str
    values: Values
    index_state: IndexState
    index_reason: str | None
    chunk_count: int
    created_at: datetime
    updated_at: datetime


class Others(Protocol):
    """The other items of the same resource and owner, within the same transaction."""

    def find(self, item_id: UUID) -> Record | None: ...

    def alone(self) -> None:
        """Wait until no other transaction of this owner is past this point, and keep it so."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """What a write comes to: the values to store, and the records to make because of it."""

    values: Values
    following: Mapping[UUID, Values] = field(default_factory=dict)


def refused(name: str, detail: str) -> InvalidInput:
    """What a rule raises about one field."""
    return InvalidInput(problems=[FieldProblem(f"/{name}", detail)])


class Rules:
    """What holds between the fields of a resource, and what a write brings about: here nothing."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        """What to store for the values that were asked for. Raises InvalidInput."""
        return Settled(values)


@dataclass(frozen=True, eq=False)
class Resource:
    """``name`` stands in addresses and is its table's; ``kind`` is what one of them is called.

    ``sorts``: the fields that a list may be ordered by, besides its creation.
    """

    name: str
    kind: Kind
    about: str
    own: tuple[Field, ...]
    says: Callable[[Values], Said]
    filters: tuple[Filter, ...] = ()
    flags: tuple[Flag, ...] = ()
    sorts: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    rules: Rules = field(default_factory=Rules)

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*self.own, *COMMON)

    def field(self, name: str) -> Field:
        """Raises KeyError."""
        return {one.name: one for one in self.fields}[name]


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
