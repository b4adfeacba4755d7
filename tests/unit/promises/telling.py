"""A short way to tell a history: events one after the other, unless a time is given."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from tests.driver.words import word
from tests.promises.history import (
    Arrival,
    Event,
    Farewell,
    History,
    Hit,
    Outcome,
    Reading,
    Removal,
    Search,
    Write,
)
from tests.promises.kept import Stored

_NAMESPACE = UUID(int=7)


def item(name: str) -> UUID:
    """The identifier of what a test calls by this name, an item or a user."""
    return uuid5(_NAMESPACE, name)


def text(number: int) -> str:
    """The text that the write of this number writes."""
    return f"The rent {word(number)} is due. Our dentist {word(number)} waits."


def fields(number: int, *names: str) -> dict[str, str]:
    """The values of a write, of all fields or of those that are named."""
    values = {"title": f"Rent {word(number)}", "text": text(number), "note": word(number)}
    return {name: values[name] for name in names or values}


class Told:
    """A history under construction; ``ann`` and ``ben`` have accounts."""

    def __init__(self) -> None:
        self.history = History()
        self._now = 0.0
        self._numbers = 0
        for owner in ("ann", "ben"):
            self._add(Arrival, owner=owner, user_id=item(owner))

    def write(self, what: str, revision: int | None = 1, *names: str, **more: Any) -> int:
        """Ann writes an item, and is answered with the revision; the number of that write."""
        number = self._numbers + 1
        usual = {"fields": fields(number, *names), "item": item(what), "revision": revision}
        self._add(Write, **{**usual, **more})
        return number

    def doubt(self, what: str, *names: str, **more: Any) -> int:
        """Ann writes an item, and is not answered."""
        return self.write(what, None, *names, outcome=Outcome.UNKNOWN, **more)

    def remove(self, what: str, **more: Any) -> None:
        self._add(Removal, **{"item": item(what), **more})

    def leave(self, **more: Any) -> None:
        self._add(Farewell, **more)

    def read(self, what: str, revision: int | None, **more: Any) -> None:
        self._add(Reading, **{"item": item(what), "revision": revision, **more})

    def search(self, *hits: Hit, **more: Any) -> None:
        """Ann searches in mode ``text``, and is shown these hits."""
        usual = {"mode": "text", "legs": ("text",), "degraded": (), "hits": hits}
        self._add(Search, **{**usual, **more})

    def _add(self, kind: type[Event], **values: Any) -> None:
        self._numbers += 1
        begun, ended = self._now, self._now + 1
        self._now += 2
        usual = {"number": self._numbers, "owner": "ann", "begun": begun, "ended": ended}
        self.history.add(kind(**{**usual, **values}))


def document(
    what: str, writer: int, revision: int = 1, *, owner: str = "ann", **other: Any
) -> Stored:
    """What PostgreSQL holds of an item, all of it from one write, or with ``other`` values."""
    values = {**fields(writer), **other.pop("fields", {})}
    usual = {"external_id": None, "revision": revision, "fields": values}
    return Stored(**{"item": item(what), "user_id": item(owner), **usual, **other})


def hit(what: str, writer: int, **more: Any) -> Hit:
    """A result that shows the whole text of a write."""
    usual = {"item": item(what), "title": "Rent", "passages": (text(writer),)}
    return Hit(**{**usual, **more})


def names(violations: list[str]) -> set[str]:
    """What the violations are called, without their details."""
    return {violation.split(": ")[1] for violation in violations}
