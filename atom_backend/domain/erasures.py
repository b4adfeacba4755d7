"""Erasures: what is left of an account that was deleted.

Invariant: an erasure is done when no tombstone of the account is left, and not before; a tombstone
goes only when both tables of the vector store were seen empty of its item.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid4


class ErasureState(StrEnum):
    """Whether anything is left."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Erasure:
    """One account's erasure. ``items_left``: of ``items_total``, those that the vector store may
    still hold; everything else was gone at ``requested_at``.
    """

    id: UUID
    items_total: int
    items_left: int
    requested_at: datetime
    completed_at: datetime | None

    @property
    def state(self) -> ErasureState:
        return ErasureState.RUNNING if self.items_left else ErasureState.DONE


def new_erasure_id() -> UUID:
    """122 random bits: to know it is the right to ask, since no account is left to have rights."""
    return uuid4()


class OwnErasures(Protocol):
    """The erasure of the owner's own account."""

    def begin(self, erasure_id: UUID) -> Erasure:
        """To be called when the account is gone and everything of it is buried."""
        ...


class Erasures(Protocol):
    """Everybody's erasures."""

    def get(self, erasure_id: UUID) -> Erasure:
        """Raises NotFound."""
        ...
