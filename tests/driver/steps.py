"""The values that a plan is made of: operations, faults, and who there is for both.

Documents are called by their slot, a name that the clients resolve to an identifier when they come
to it, because a plan is made before anything exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field

USERS = ("ann", "ben", "cem")
LANES = 2
"""Clients of one user that work at the same time."""

WORKERS = 3
LEASE_SECONDS = 3.0


@dataclass(frozen=True)
class Operation:
    """One request of one user; ``number`` names it, and gives its texts their word.

    ``wait``: seconds of ``Prefer: wait``. ``persistent``: repeated until there is an answer.
    ``named``: the slot has an external identifier. ``conditional``: with ``If-Match``. ``mode``:
    of a search, ``similar`` of a look for similar items, or ``text`` of a read that asks for it.
    """

    number: int
    kind: str
    user: str
    lane: int
    slot: str = ""
    named: bool = False
    fields: dict[str, str] = field(default_factory=dict)
    lines: tuple[Operation, ...] = ()
    wait: int = 0
    persistent: bool = True
    conditional: bool = False
    mode: str = ""
    query: str = ""


@dataclass(frozen=True)
class Fault:
    """``which`` worker; ``seconds`` after which it is undone, where that is possible.

    A command that is run beside everything else is killed after so many seconds.
    """

    number: int
    kind: str
    which: int = 0
    delay: float = 0.0
    seconds: float = 0.0


Step = Operation | Fault
