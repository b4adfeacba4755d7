"""What users do, and which of a worker's effects each of it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.effects.users import User

ONE = "One paragraph."
TWO = "Another text.\n\nOf two paragraphs."
THREE = "A text.\n\nOf three.\n\nParagraphs."

INDEXING = (
    "lease",
    "sources",
    "extend",
    "add_chunks",
    "add_processed",
    "drop_older",
    "confirm",
)
REMOVING = ("lease", "drop_items", "holding", "purge")
IN_POSTGRESQL = {
    "lease",
    "sources",
    "extend",
    "confirm",
    "purge",
    "postpone",
    "park",
    "give_back",
}
"""These take effect when their transaction commits; the others by themselves."""


@dataclass(frozen=True, slots=True)
class Operation:
    """``before`` is done and indexed when ``act`` comes."""

    name: str
    before: Callable[[User], object]
    act: Callable[[User], object]
    effects: tuple[str, ...]


def nothing(_: User) -> None:
    """Nothing has to be there."""


def one(user: User) -> None:
    user.put("a", THREE)
    user.put("bystander", ONE)


def several(user: User) -> None:
    user.load({"a": THREE, "b": TWO, "same": ONE})


def create(user: User) -> None:
    user.put("a", THREE)


def replace(user: User) -> None:
    user.put("a", TWO)


def delete(user: User) -> None:
    user.delete("a")


def create_again(user: User) -> None:
    user.delete("a")
    user.put("a", TWO)


def load(user: User) -> None:
    user.load({"a": TWO, "same": ONE, "new": ONE, "newer": THREE})


def leave(user: User) -> None:
    user.put("never indexed", TWO)
    user.leave()


OPERATIONS = [
    Operation("create", nothing, create, INDEXING),
    Operation("replace", one, replace, INDEXING),
    Operation("delete", one, delete, REMOVING),
    Operation("create again", one, create_again, (*REMOVING, *INDEXING[1:])),
    Operation("bulk", several, load, INDEXING),
    Operation("account deletion", several, leave, REMOVING),
]
EFFECTS = [(operation, effect) for operation in OPERATIONS for effect in operation.effects]


def case_name(value: object) -> str:
    """For the names of parametrised tests."""
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, Operation):
        return value.name
    return str(getattr(value, "__name__", value))
