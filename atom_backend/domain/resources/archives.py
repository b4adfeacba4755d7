"""An archive: everything that an account keeps, outside of it, and the order to bring it back in.

Invariant: an archived record says all that is stored of it, so that it can be stored again as it
was: under its identifier, with its revision and its times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Values


@dataclass(frozen=True, slots=True)
class Archived:
    """One record; ``values`` are those of all fields, as its resource shows them."""

    id: UUID
    revision: int
    created_at: datetime
    updated_at: datetime
    values: Values


class Entry(Protocol):
    """One record's place in an archive; reading it may take a while, so it is read when needed."""

    @property
    def line(self) -> int: ...

    @property
    def id(self) -> UUID: ...

    @property
    def resource(self) -> Resource: ...

    @property
    def references(self) -> Collection[UUID]:
        """The identifiers that it names."""
        ...

    def read(self) -> Archived: ...


@dataclass(frozen=True, slots=True)
class Archive:
    """A whole archive whose every line was checked by itself."""

    display_name: str | None
    entries: Sequence[Entry]


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """First what others name, then these; else in the order of the archive.

    What names each other in a circle comes last: whether it may is for the rules to say.
    """
    places = {entry.id: place for place, entry in enumerate(entries)}
    graph = _Graph()
    for place, entry in enumerate(entries):
        graph.add(place, {places[one] for one in entry.references if one in places} - {place})
    ordered = list(graph.free())
    circular = sorted(set(range(len(entries))) - set(ordered))
    return [entries[place] for place in (*ordered, *circular)]


@dataclass(slots=True)
class _Graph:
    """Which place waits for which (Kahn's algorithm)."""

    waiting: dict[int, int] = field(default_factory=dict)
    named_by: dict[int, list[int]] = field(default_factory=dict)
    ready: deque[int] = field(default_factory=deque)

    def add(self, place: int, named: Collection[int]) -> None:
        if not named:
            self.ready.append(place)
            return
        self.waiting[place] = len(named)
        for one in named:
            self.named_by.setdefault(one, []).append(place)

    def free(self) -> Iterator[int]:
        """Every place that waits for nothing any more."""
        while self.ready:
            place = self.ready.popleft()
            yield place
            for one in self.named_by.get(place, ()):
                self.waiting[one] -= 1
                if not self.waiting[one]:
                    self.ready.append(one)


Restored = Mapping[str, int]
"""How many records were brought back, by the name of their resource."""
