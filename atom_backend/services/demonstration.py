"""Loading the demonstration into an account.

Invariant: loading again on the same day changes nothing, and on a later day adds nothing: what is
there moves along with the days, and what its user has changed of it is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.demonstration.account import PREFERENCES, pieces
from atom_backend.domain.demonstration.pieces import Days, Named, Piece
from atom_backend.domain.index_state import IndexState
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.registry import NAMED
from atom_backend.services.preferences import Preferences
from atom_backend.services.records import RecordService


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was stored: identifiers by resource and name, and how many of them are new."""

    identifiers: Mapping[tuple[str, str], UUID]
    new: int

    def counts(self) -> dict[str, int]:
        """How many there are of each resource."""
        resources = [resource for resource, _ in self.identifiers]
        return {one: resources.count(one) for one in dict.fromkeys(resources)}


class Demonstration:
    """The use cases of the ``demo`` command."""

    def __init__(self, records: RecordService, preferences: Preferences) -> None:
        self._records = records
        self._preferences = preferences

    def load(self, principal: Principal, days: Days) -> Loaded:
        """Store every piece under its name."""
        found: dict[tuple[str, str], UUID] = {}
        new = 0
        for piece in pieces(days):
            identifier, made = self._store(principal, piece, found)
            found[piece.resource, piece.name] = identifier
            new += made
        for key, value in PREFERENCES.items():
            new += self._preferences.put(principal, key, value)[1]
        return Loaded(found, new)

    def pending(self, principal: Principal, loaded: Loaded) -> int:
        """How many cannot be found by searching yet."""
        states = [self._state(principal, *one) for one in loaded.identifiers.items()]
        return states.count(IndexState.PENDING)

    def _store(
        self, principal: Principal, piece: Piece, known: Mapping[tuple[str, str], UUID]
    ) -> tuple[UUID, bool]:
        """The identifier, and whether it is new."""
        values = {
            name: known[value.resource, value.name] if isinstance(value, Named) else value
            for name, value in piece.values.items()
        }
        given = {**values, "external_id": piece.name}
        put = self._records.put(principal, NAMED[piece.resource], given)
        return put.record.id, put.outcome == "new"

    def _state(
        self, principal: Principal, name: tuple[str, str], identifier: UUID
    ) -> IndexState | None:
        return self._records.get(principal, NAMED[name[0]], identifier).index_state
