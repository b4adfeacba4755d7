"""Who is asking, and the scope that every read of a store is bound to.

Invariant (I4): a store can only be read through a scope, and a scope can only be made from a
principal or by the worker; there is no way to ask for "everything" on a user's behalf.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.permissions import NEVER_BY_KEY, SCOPES, Role, Scope


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The API key that a caller has shown, and what it was made for."""

    id: UUID
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: by the session that an access token came from, or by an API key.

    A command run by the operator acts for a user without either.
    """

    user_id: UUID
    session_id: UUID | None
    role: Role
    key: KeyUse | None = None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the caller may do: with a key, no more than its account has at present."""
        of_role = SCOPES[self.role]
        return of_role if self.key is None else (of_role & self.key.scopes) - NEVER_BY_KEY

    @property
    def scope(self) -> OwnerScope:
        return OwnerScope(self.user_id)


@dataclass(frozen=True, slots=True)
class OwnerScope:
    """One owner's partition: the only thing that a vector store filter can be built from."""

    owner_id: UUID
