"""Options: what can be set under a key, with a default and a type where the key is a known one.

Invariant: what is set under a known key fits its schema, and every known key has a value always.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from atom_backend.domain.json_schemas import JsonSchema
from atom_backend.domain.limits import json_problem
from atom_backend.errors import FieldProblem, InvalidInput

KEY = r"^[a-z][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)+$"
"""Lower-case words with dots between, two at least: the first names what they are about."""

KEY_CHARS = 128
LARGEST = 8 * 1024
"""Bytes of a value's JSON in UTF-8."""


class Origin(StrEnum):
    """Where a value comes from."""

    DEFAULT = "default"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Option:
    """A known key: what it is about, its default, and the JSON Schema of its values."""

    key: str
    about: str
    default: Any
    schema: JsonSchema


@dataclass(frozen=True, slots=True)
class Stored:
    """What was set under a key; ``updated_by`` where more than one account may."""

    key: str
    value: Any
    revision: int
    updated_at: datetime
    updated_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds under a key: what was set, or else the default of a known key."""

    key: str
    value: Any
    option: Option | None
    stored: Stored | None

    @property
    def origin(self) -> Origin:
        return Origin.DEFAULT if self.stored is None else Origin.SET


class Options:
    """The known keys of one place. ``closed``: there are no others."""

    def __init__(self, *options: Option, closed: bool) -> None:
        self._options: Mapping[str, Option] = {one.key: one for one in options}
        self._closed = closed

    def __iter__(self) -> Iterator[Option]:
        return iter(self._options.values())

    def knows(self, key: str) -> bool:
        return key in self._options

    def default(self, key: str) -> Any:
        """Raises KeyError."""
        return self._options[key].default

    def check(self, key: str, value: Any) -> None:
        """Raises InvalidInput when this cannot be set under this key."""
        problems = list(self._key_problems(key)) or list(_problems(value))
        if not problems and self.knows(key):
            problems = self._options[key].schema.problems(value, ("value",))
        if problems:
            raise InvalidInput(problems=problems)

    def setting(self, key: str, stored: Stored | None) -> Setting | None:
        """What holds under the key; None where nothing was set and nothing is known of it."""
        option = self._options.get(key)
        if stored is not None:
            return Setting(key, stored.value, option, stored)
        return None if option is None else Setting(key, option.default, option, None)

    def settings(self, stored: Iterable[Stored]) -> list[Setting]:
        """All that holds, by key."""
        found = {one.key: one for one in stored}
        keys = sorted(found.keys() | self._options.keys())
        every = (self.setting(key, found.get(key)) for key in keys)
        return [one for one in every if one is not None]

    def _key_problems(self, key: str) -> Iterator[FieldProblem]:
        if not re.fullmatch(KEY, key) or len(key) > KEY_CHARS:
            yield FieldProblem("/key", "A key is lower-case words with dots, as in ui.theme.")
        elif self._closed and not self.knows(key):
            yield FieldProblem("/key", f"The keys are {', '.join(self._options)}.")


def _problems(value: Any) -> Iterator[FieldProblem]:
    unstorable = json_problem(value)
    if unstorable is not None:
        yield FieldProblem("/value", unstorable)
        return
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > LARGEST:
        yield FieldProblem("/value", f"it takes {size} bytes of JSON; {LARGEST} are allowed")
