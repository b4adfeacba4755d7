"""What must be stored in the end, derived from what clients saw and from nothing else.

The revisions of the answers order the writes of an item, whoever sent them. A write whose answer
was lost may have come at any place. Invariant: an expectation holds for every order of events that
agrees with the answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from tests.promises.history import Arrival, Event, Farewell, History, Removal, Write

E = TypeVar("E", bound=Event)
FIELDS = ("title", "text", "note")


@dataclass
class Life:
    """Everything that clients know of one item; at least one write of it was acknowledged."""

    item: UUID
    owner: str
    writes: list[Write] = field(default_factory=list)
    doubtful: list[Write] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    farewells: list[Farewell] = field(default_factory=list)

    @property
    def ends(self) -> list[Event]:
        """Everything that can have ended it, and was not refused."""
        return [end for end in [*self.removals, *self.farewells] if end.possible]

    @property
    def must_be_gone(self) -> bool:
        return any(end.acknowledged for end in self.ends)

    @property
    def must_exist(self) -> bool:
        return not self.ends

    @cached_property
    def gone_since(self) -> float:
        """The moment when somebody was first told that it is gone."""
        told = [end.ended for end in self.ends if end.acknowledged]
        return min(told, default=float("inf"))

    def latest(self, name: str) -> Write | None:
        """The acknowledged write of a field that has the highest revision."""
        setting = [write for write in self.writes if name in write.fields]
        return max(setting, key=lambda write: write.revision or 0, default=None)

    def admissible(self, name: str) -> set[str]:
        """The values that a field may have: the last acknowledged one, and the doubtful ones."""
        latest = self.latest(name)
        known = {latest.fields[name]} if latest else set()
        return known | {write.fields[name] for write in self.doubtful if name in write.fields}

    @property
    def external_ids(self) -> set[str]:
        return {write.external_id for write in self.writes if write.external_id is not None}


@dataclass(frozen=True)
class Expected:
    """The lives of all items, the accounts, and who wrote which value."""

    lives: dict[UUID, Life]
    users: dict[str, UUID]
    writers: dict[tuple[str, str], Write]

    def owner_of(self, user_id: UUID) -> str | None:
        return self._owners.get(user_id)

    @cached_property
    def words(self) -> dict[str, Write]:
        """By each word of a text that only one write has, that write."""
        first: dict[str, Write | None] = {}
        for (name, value), write in self.writers.items():
            for word in set(value.split()) if name == "text" else ():
                first[word] = write if first.get(word, write) is write else None
        return {word: write for word, write in first.items() if write is not None}

    @cached_property
    def _owners(self) -> dict[UUID, str]:
        return {user_id: owner for owner, user_id in self.users.items()}


def expected(history: History) -> Expected:
    """One pass over the history."""
    lives: dict[UUID, Life] = {}
    for write in history.of(Write):
        if write.acknowledged and write.item is not None:
            life = lives.setdefault(write.item, Life(write.item, write.owner))
            life.writes.append(write)
    for removal in history.of(Removal):
        if removal.item in lives:
            lives[removal.item].removals.append(removal)
    farewells = _by_owner(history.of(Farewell))
    doubtful = _by_owner(w for w in history.of(Write) if w.possible and not w.acknowledged)
    for life in lives.values():
        life.farewells = farewells[life.owner]
        names: set[str | None] = {*life.external_ids}
        life.doubtful = [
            write
            for write in doubtful[life.owner]
            if write.item == life.item or (write.item is None and write.external_id in names)
        ]
    return Expected(
        lives=lives,
        users={arrival.owner: arrival.user_id for arrival in history.of(Arrival)},
        writers={pair: write for write in history.of(Write) for pair in write.fields.items()},
    )


def _by_owner(events: Iterable[E]) -> dict[str, list[E]]:
    found: dict[str, list[E]] = defaultdict(list)
    for event in events:
        found[event.owner].append(event)
    return found
