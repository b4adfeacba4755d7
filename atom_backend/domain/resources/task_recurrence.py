"""What follows a task that recurs, when it is completed.

Invariant: the task that follows is named by the one that it follows, so that completing a task
again, after it was reopened, makes no second one.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from atom_backend.clock import new_id
from atom_backend.domain.repetition import check, next_due
from atom_backend.domain.resources.rules import Settled, Values, refused

DONE, OPEN = "done", "todo"
_DECIDING = ("recurrence", "due_at", "time_zone")


def recurring(values: Values, before: Values | None) -> Settled:
    """The values with their rule in its plain form, and the next task if this one is done.

    Raises InvalidInput.
    """
    zone = _zone(values["time_zone"])
    if values["recurrence"] is None:
        return Settled(values)
    if values["due_at"] is None:
        raise refused("due_at", "A task that recurs needs a time at which it is due.")
    if before is None or any(values[name] != before[name] for name in _DECIDING):
        plain = check(values["recurrence"], values["due_at"], zone)
        values = {**values, "recurrence": plain}
    if values["status"] != DONE or values["followed_by"] is not None:
        return Settled(values)
    due, completed = values["due_at"], values["completed_at"]
    repetition = next_due(values["recurrence"], due, completed, zone)
    if repetition is None:
        return Settled(values)
    start = values["start_at"]
    following = {
        **values,
        "status": OPEN,
        "completed_at": None,
        "external_id": None,
        "due_at": repetition.due_at,
        "start_at": None if start is None else repetition.due_at - (due - start),
        "recurrence": repetition.recurrence,
    }
    identifier = new_id()
    return Settled({**values, "followed_by": identifier}, {identifier: following})


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        raise refused("time_zone", "There is no such time zone in the IANA database.")
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
