"""Drift: where the vector store is not what PostgreSQL says it should be, and reports about it.

What is in flight (due, leased, a tombstone) is not drift. Invariant: a report counts each item
once a kind, so that the counts add up to something, and holds a bounded number of examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

Progress = Callable[[int, int], None]
"""Told again and again how many rows are done, and of how many."""

EXAMPLES = 10
"""Findings of one kind that a report quotes, at most."""


class Drift(StrEnum):
    """The ways in which an item can be out of step."""

    MISSING = "missing"
    """A live item of which the vector store holds nothing, or that has no index entry."""
    STALE = "stale"
    """Rows, or an entry, of another revision, content or fence."""
    PARTIAL = "partial"
    """Some of its chunks are not there."""
    DUPLICATE = "duplicate"
    """A row is there more than once."""
    ORPHANED = "orphaned"
    """Rows, or an entry, of an item that does not exist."""
    FOREIGN = "foreign"
    """Rows, or an entry, that belong to another owner than the item."""
    CORRUPT = "corrupt"
    """A row that is not what was written, a vector that no search can use, an unreadable table."""
    WRONG_SPEC = "wrong_spec"
    """Made by another chunker or model than the present one."""
    WRONG_KIND = "wrong_kind"
    """Rows, or an entry, that say it is of another kind than it is."""
    UNMARKED = "unmarked"
    """Chunks without a processed row."""
    HOLLOW = "hollow"
    """A processed row without chunks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``item_id`` is None where it is a whole table."""

    item_id: UUID | None
    drift: Drift
    detail: str

    def as_json(self) -> dict[str, Any]:
        item_id = None if self.item_id is None else str(self.item_id)
        return {"item_id": item_id, "drift": self.drift.value, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What one check found.

    ``items``: index entries looked at. ``chunks``: rows of chunks read. ``in_flight``: entries
    that are due or leased, tombstones included; ``parked``: entries that wait for an operator.
    ``counts``: items by kind, the kinds that were found only. ``examples``: up to ``EXAMPLES`` a
    kind. ``unreadable``: what could not be read at all, each a sentence that says what to do; of
    what it holds nothing is known, so there are no findings about single items beside it.
    """

    items: int
    chunks: int
    in_flight: int
    parked: int
    counts: Mapping[Drift, int]
    examples: Sequence[Finding]
    seconds: float
    unreadable: Sequence[str] = ()

    @property
    def in_step(self) -> bool:
        """Nothing is wrong (what is in flight or parked is not)."""
        return not self.counts

    def as_json(self) -> dict[str, Any]:
        return {
            "in_step": self.in_step,
            "items": self.items,
            "chunks": self.chunks,
            "in_flight": self.in_flight,
            "parked": self.parked,
            "counts": {drift.value: count for drift, count in self.counts.items()},
            "examples": [finding.as_json() for finding in self.examples],
            "unreadable": list(self.unreadable),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        looked = f"Looked at {self.items} items and {self.chunks} chunks in {self.seconds:.1f} s: "
        if self.unreadable:
            return looked + " ".join(self.unreadable)
        found = ", ".join(f"{count} {drift.value}" for drift, count in self.counts.items())
        waiting = f"{self.in_flight} in flight, {self.parked} parked"
        return f"{looked}{found or 'in step'} ({waiting})."


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What one repair did; under ``dry_run``, what it would have done.

    ``drift``: the check that it began with. ``requeued``: entries made due. ``pruned``: items of
    which rows were removed from the vector store at once.
    """

    drift: DriftReport
    requeued: int
    pruned: int
    dry_run: bool
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "drift": self.drift.as_json(),
            "requeued": self.requeued,
            "pruned": self.pruned,
            "dry_run": self.dry_run,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        if self.drift.in_step or self.drift.unreadable:
            return str(self.drift)
        done = "Would make" if self.dry_run else "Made"
        return (
            f"{self.drift} {done} {self.requeued} items due again and "
            f"{'remove' if self.dry_run else 'removed'} rows of {self.pruned}."
        )
