"""What happened, as the clients saw it: one record an operation, in lines of JSON.

Times are seconds of one monotonic clock. What no answer came for is ``unknown``: it may have
happened, wholly or not at all, even after the client gave up. Invariant: a field's value is given
by one write only, so that whoever finds it knows who wrote it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

E = TypeVar("E", bound="Event")


class Outcome(StrEnum):
    """``REFUSED``: the service said no, and nothing happened."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One operation of one owner. ``owner`` names an account; a later one has another name."""

    number: int
    owner: str
    begun: float
    ended: float
    outcome: Outcome = Outcome.ACKNOWLEDGED

    @property
    def acknowledged(self) -> bool:
        return self.outcome is Outcome.ACKNOWLEDGED

    @property
    def possible(self) -> bool:
        """Whether it happened, or may have."""
        return self.outcome is not Outcome.REFUSED


@dataclass(frozen=True, kw_only=True)
class Arrival(Event):
    """An account was made."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class Farewell(Event):
    """An account was deleted, with all that it owned."""


@dataclass(frozen=True, kw_only=True)
class Write(Event):
    """``fields`` (title, text, note) got these values.

    ``item``: what was named, or what the answer named. ``revision``: of the answer, which says
    that the fields had these values then. ``once``: it was sent once, not repeated after a doubt.
    ``indexed``: the answer said that this content can be found. ``based_on``: the revision that it
    was to replace and no other.
    """

    fields: Mapping[str, str]
    item: UUID | None = None
    external_id: str | None = None
    revision: int | None = None
    once: bool = True
    indexed: bool = False
    based_on: int | None = None

    def may_concern(self, owner: str, item: UUID, external_id: str | None) -> bool:
        """Whether it can have changed this item."""
        if self.owner != owner:
            return False
        if self.item is not None:
            return self.item == item
        return self.external_id == external_id


@dataclass(frozen=True, kw_only=True)
class Removal(Event):
    """An item was deleted."""

    item: UUID


@dataclass(frozen=True, kw_only=True)
class Reading(Event):
    """An item was asked for; ``revision`` is None where it was said not to exist.

    ``text``: where that was asked for.
    """

    item: UUID
    revision: int | None
    indexed: bool = False
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One result, ``passages`` as they were shown."""

    item: UUID
    title: str
    passages: tuple[str, ...]
    stale: bool = False
    enriched: bool = True


@dataclass(frozen=True, kw_only=True)
class Search(Event):
    """An answered search. ``word``: the question was this one word, which one write has."""

    mode: str
    legs: tuple[str, ...]
    degraded: tuple[str, ...]
    hits: tuple[Hit, ...]
    word: str | None = None


class History:
    """All events, in the order in which they ended."""

    _KINDS: ClassVar[tuple[type[Event], ...]] = (
        Arrival,
        Farewell,
        Write,
        Removal,
        Reading,
        Search,
    )

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events: dict[type[Event], list[Event]] = {kind: [] for kind in self._KINDS}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        self._events[type(event)].append(event)

    def of(self, kind: type[E]) -> list[E]:
        """Every event of one kind."""
        return self._events[kind]  # type: ignore[return-value]

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))


def as_line(event: Event) -> str:
    """One line of JSON, without the line's end."""
    named = {"event": type(event).__name__.lower(), **dataclasses.asdict(event)}
    return json.dumps(named, default=str, ensure_ascii=False)


def read_lines(lines: Iterable[str]) -> Iterator[Event]:
    """The events of lines that ``as_line`` made; others are passed over."""
    kinds = {kind.__name__.lower(): kind for kind in History._KINDS}
    for line in lines:
        values = json.loads(line)
        kind = kinds.get(values.pop("event"))
        if kind is not None:
            yield kind(**_typed(values))


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    for name in ("item", "user_id"):
        if values.get(name) is not None:
            values[name] = UUID(values[name])
    for name in ("legs", "degraded", "passages"):
        if name in values:
            values[name] = tuple(values[name])
    if "outcome" in values:
        values["outcome"] = Outcome(values["outcome"])
    if "hits" in values:
        values["hits"] = tuple(Hit(**_typed(one)) for one in values["hits"])
    return values
