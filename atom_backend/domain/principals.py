"""Who is asking, and the scope that every read of a store is bound to.

Invariant (I4): a store can only be read through a scope, and a scope can only be made from a
principal or by the worker; there is no way to ask for "everything" on a user's behalf.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.permissions import SCOPES, Role, Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller; ``session_id`` is the login that the access token came from.

    A command run by the operator acts for a user without a session (``None``).
    """

    user_id: UUID
    session_id: UUID | None
    role: Role

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the caller may do."""
        return SCOPES[self.role]

    @property
    def scope(self) -> OwnerScope:
        return OwnerScope(self.user_id)


@dataclass(frozen=True, slots=True)
class OwnerScope:
    """One owner's partition: the only thing that a vector store filter can be built from."""

    owner_id: UUID
