"""Tasks: what is to be done, by when, and as a part of what.

Invariants: a task is completed exactly when its status says so; no task is part of itself, however
many steps away; a task that recurs is followed by one other when it is completed, and never by two.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from atom_backend.domain.calendar.recurrence_rules import LONGEST
from atom_backend.domain.items import Kind
from atom_backend.domain.resources.fields import Choice, Field, Moment, Reference, Text, Whole
from atom_backend.domain.resources.listing import NOW, Condition, Filter, Flag, Match
from atom_backend.domain.resources.resource import Action, Resource, Said
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused
from atom_backend.domain.resources.task_recurrence import DONE, recurring

STATUSES = ("todo", "in_progress", "blocked", DONE, "cancelled")
MOST_ANCESTORS = 100


class TaskRules(Rules):
    """Completion, parents, and what follows a task that recurs."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        completed_at = values["completed_at"] or now if values["status"] == DONE else None
        parent = values["parent_id"]
        if parent is not None and (before is None or before.values["parent_id"] != parent):
            _require_parent(parent, item_id, others)
        start, due = values["start_at"], values["due_at"]
        if start is not None and due is not None and start > due:
            raise refused("start_at", "A task cannot start after it is due.")
        values = {**values, "completed_at": completed_at}
        return recurring(values, None if before is None else before.values)


def _require_parent(parent: UUID, item_id: UUID, others: Others) -> None:
    # Two tasks that become each other's part at the same moment would each look right alone.
    others.alone()
    above: UUID | None = parent
    for _ in range(MOST_ANCESTORS):
        if above is None:
            return
        if above == item_id:
            raise refused("parent_id", "A task cannot be part of itself.")
        task = others.find(above)
        if task is None:
            if above == parent:
                raise refused("parent_id", "There is no task with this identifier.")
            return
        above = task.values["parent_id"]
    raise refused("parent_id", f"Tasks can be nested {MOST_ANCESTORS} deep.")


def _says(values: Values) -> Said:
    return Said(values["title"], values["notes"] or values["title"], values["due_at"])


TASKS = Resource(
    name="tasks",
    one=Kind.TASK,
    about="What is to be done.",
    own=(
        Field("title", Text(1_000), "What is to be done.", required=True),
        Field("notes", Text(1_000_000), "Everything else there is to say about it."),
        Field("status", Choice(STATUSES), "How far it is.", default="todo"),
        Field("priority", Whole(0, 9), "0 is none, 1 the highest, 9 the lowest.", default=0),
        Field("start_at", Moment(), "Not before."),
        Field("due_at", Moment(), "Not after."),
        Field("completed_at", Moment(), "Since when its status is done.", given=False),
        Field("recurrence", Text(LONGEST), "When it is due again: an RRULE (RFC 5545)."),
        Field("time_zone", Text(64), "Whose clocks it recurs by: an IANA name.", default="UTC"),
        Field("followed_by", Reference(), "The task that follows this one.", given=False),
        Field("parent_id", Reference(), "The task that it is a part of."),
        Field("position", Whole(-(2**53), 2**53), "Its place among its like.", default=0),
    ),
    says=_says,
    filters=(
        Filter("status", "status", Match.EQUAL, "How far it is."),
        Filter("parent_id", "parent_id", Match.EQUAL, "Parts of this task."),
        Filter("due_after", "due_at", Match.FROM, "Due then or later."),
        Filter("due_before", "due_at", Match.UNTIL, "Due earlier."),
        Filter("text", "text", Match.WORDS, "All of these words are in title or notes."),
    ),
    flags=(
        Flag(
            "overdue",
            "Whether it should have been done by now and is not.",
            (
                Condition("due_at", Match.UNTIL, NOW),
                Condition("status", Match.NONE_OF, (DONE, "cancelled")),
            ),
        ),
    ),
    sorts=("due_at", "priority", "position", "title"),
    actions=(Action("complete", "Set the status to done.", {"status": DONE}),),
    rules=TaskRules(),
    example={"title": "Book flights to Lisbon", "due_at": "2030-03-01T17:00:00Z", "priority": 1},
)
