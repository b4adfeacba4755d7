"""What a repair may do to the index entries: make them due again, and nothing else.

Invariant: the workers put the vector store right, under leases, as after any write. So a repair
is safe beside them, and an entry that somebody works on keeps its lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


class Repairs(Protocol):
    """The index entries of every owner, as a repair changes them; each call says how many."""

    def requeue(self, fences: Mapping[UUID, int]) -> int:
        """Make these entries due that are still settled under the fence that is named."""
        ...

    def reconcile(self, item_ids: Sequence[UUID]) -> int:
        """Make these entries say what their items' own rows say, and due where they did not.

        An item without an entry gets one; an entry without an item becomes a tombstone.
        """
        ...

    def outrank(self, fence: int) -> None:
        """See to it that whoever leases from now on gets a higher fence than this."""
        ...

    def parked(self) -> Mapping[str, int]:
        """How many entries are parked, by reason."""
        ...

    def retry_parked(self) -> int:
        """Make all parked entries due, as if they had never been tried."""
        ...


@dataclass(frozen=True, slots=True)
class RetryReport:
    """Parked entries by reason, and how many of them were made due (none under ``dry_run``)."""

    reasons: Mapping[str, int]
    requeued: int
    dry_run: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "reasons": dict(self.reasons),
            "requeued": self.requeued,
            "dry_run": self.dry_run,
        }

    def __str__(self) -> str:
        parked = sum(self.reasons.values())
        if not parked:
            return "Nothing is parked."
        if self.dry_run:
            return f"Would make {parked} parked items due again."
        return f"Made {self.requeued} parked items due again."
