"""What holds between the fields of a resource, and what a write brings about besides itself.

Invariant: rules decide and never write: what is to be stored is what they answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from atom_backend.domain.index_state import IndexState
from atom_backend.domain.messaging.threads import Placement, Threads
from atom_backend.errors import FieldProblem, InvalidInput

Values = Mapping[str, Any]
"""Field values by name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored record of a resource.

    ``values`` lacks the fields that stand apart, unless the whole record was asked for. What
    follows the times is said of searchable records only; ``title`` is the one the index reads.
    """

    id: UUID
    owner_id: UUID
    revision: int
    values: Values
    created_at: datetime
    updated_at: datetime
    title: str = ""
    content_revision: int = 0
    content_hash: bytes = b""
    index_state: IndexState | None = None
    index_reason: str | None = None
    chunk_count: int = 0


class Others(Protocol):
    """The other records of the same owner, within the same transaction."""

    def find(self, item_id: UUID) -> Record | None:
        """The one of the same resource with this identifier."""
        ...

    def having(self, name: str, value: Any, *, most: int) -> Sequence[Record]:
        """Those of the same resource whose field has this value, oldest first."""
        ...

    def count(self, name: str, value: Any) -> int:
        """How many these are."""
        ...

    def alone(self) -> None:
        """Wait until no other transaction of this owner and resource is past this point, and keep
        it so.
        """
        ...

    @property
    def threads(self) -> Threads:
        """How messages hang together."""
        ...

    def of(self, resource: str) -> Others:
        """Those of another resource, by its name."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """What a write comes to: the values to store, the records to make because of it, and what is
    to be known of the conversation that it belongs to."""

    values: Values
    following: Mapping[UUID, Values] = field(default_factory=dict)
    placement: Placement | None = None


class Rules:
    """What holds between the fields of a resource, and what a write brings about: here nothing.

    ``serial``: an owner's writes to such resources wait for each other, so that rules can rely on
    what they see of other records, and writes that touch several rows never deadlock.
    ``threaded``: records belong to conversations.
    """

    serial: ClassVar[bool] = False
    threaded: ClassVar[bool] = False

    def completed(self, given: Values) -> Values:
        """What was given, with what follows from that alone."""
        return given

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        """What to store for the values that were asked for. Raises InvalidInput."""
        return Settled(values)

    def restored(self, values: Values, others: Others, item_id: UUID, now: datetime) -> Settled:
        """The same for a record that comes back from an archive with all its values."""
        return self.settled(values, None, others, item_id, now)

    def placed(self, values: Values, others: Others, item_id: UUID) -> Placement | None:
        """Where a record that comes back belongs: asked of all (``threaded``) before any is
        stored, so that none has to be moved when the next one comes."""
        return None

    def removing(self, record: Record, others: Others) -> None:
        """Called before the record is removed. Raises Conflict where it must stay."""

    def removed_with(self, record: Record, others: Others) -> Sequence[UUID]:
        """What else of the same resource goes with it."""
        return ()


def refused(name: str, detail: str) -> InvalidInput:
    """What a rule raises about one field."""
    return InvalidInput(problems=[FieldProblem(f"/{name}", detail)])
