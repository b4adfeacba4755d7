"""OAuth grants: what is kept of one, and what is to be done with it at a moment.

Invariants: tokens are here only as the vault sealed them; a failure that may pass never ends a
grant, and only the provider's own word, or an expiry that nothing can mend, makes its owner
authorize again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from atom_backend.domain.secrets import Place

_EARLY = timedelta(seconds=60)
_EARLY_SHARE = 10
"""A token is refreshed in the last minute of its life, or in the last tenth of a shorter one."""
_REST = timedelta(seconds=5)
"""After a failure, until the provider is asked again: callers are not to wait for it in turn."""


class GrantState(StrEnum):
    """Whether a grant is good for tokens."""

    ACTIVE = "active"
    REAUTHORIZATION_REQUIRED = "reauthorization_required"


class Step(StrEnum):
    """What to do for somebody who asks for a token."""

    SERVE = "serve"
    REFRESH = "refresh"
    REAUTHORIZE = "reauthorize"
    GIVE_UP = "give_up"
    """The token has expired, and refreshing it has just failed."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A row of ``oauth_grants``; ``account`` is the owner's name for what was connected."""

    id: UUID
    owner_id: UUID
    provider: str
    account: str | None
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None
    """Of the access token; None where the provider did not say."""
    state: GrantState
    reason: str | None
    """Why the last refresh failed, as a code; None if it did not."""
    last_refreshed_at: datetime | None
    last_used_at: datetime | None
    failed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    access_token: bytes = field(repr=False)
    refresh_token: bytes | None = field(repr=False)

    def place(self, column: str) -> Place:
        """Where a token of this grant belongs."""
        return grant_place(self.id, self.owner_id, column)


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """What is written of a token answer."""

    access_token: bytes = field(repr=False)
    refresh_token: bytes | None = field(repr=False)
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None


def grant_place(grant_id: UUID, owner_id: UUID, column: str) -> Place:
    """Where the tokens of such a grant belong."""
    return Place("oauth_grants", grant_id, column, owner_id)


def next_step(grant: Grant, now: datetime, *, tried: bool = False) -> Step:
    """What to do at ``now``; ``tried``: refreshing was tried for this caller already."""
    if grant.state is GrantState.REAUTHORIZATION_REQUIRED:
        return Step.REAUTHORIZE
    if grant.expires_at is None:
        return Step.SERVE
    expired = now >= grant.expires_at
    if grant.refresh_token is None:
        return Step.REAUTHORIZE if expired else Step.SERVE
    if tried or (grant.failed_at is not None and now < grant.failed_at + _REST):
        return Step.GIVE_UP if expired else Step.SERVE
    return Step.REFRESH if now >= grant.expires_at - _early(grant) else Step.SERVE


def _early(grant: Grant) -> timedelta:
    assert grant.expires_at is not None
    return min(_EARLY, max(timedelta(), grant.expires_at - grant.issued_at) / _EARLY_SHARE)


def settled_meanwhile(seen: Grant, locked: Grant) -> bool:
    """Whether somebody else has refreshed, or failed to, since ``seen`` was read."""
    return (seen.issued_at, seen.failed_at, seen.state) != (
        locked.issued_at,
        locked.failed_at,
        locked.state,
    )


class Grants(Protocol):
    """The grants of the transaction's owner; methods that take an identifier raise NotFound."""

    def listing(self, *, limit: int, after: UUID | None, provider: str | None) -> list[Grant]:
        """In the order of their making."""
        ...

    def get(self, grant_id: UUID) -> Grant: ...

    def lend(self, grant_id: UUID) -> None:
        """Let an account of the role ``service`` see this grant, in this transaction."""
        ...

    def lock(self, grant_id: UUID, *, seconds: float) -> Grant:
        """The grant as it is once nobody else holds it, held until the transaction ends.

        The transaction may then be idle for ``seconds``. Raises DatabaseUnavailable where somebody
        holds it for longer than that.
        """
        ...

    def holder_of(self, provider: str, account: str | None) -> Grant | None:
        """The grant that authorizing again replaces, held until the transaction ends."""
        ...

    def add(self, grant_id: UUID, provider: str, account: str | None, held: SealedTokens) -> Grant:
        """Raises Conflict where another transaction has just added one."""
        ...

    def replace(self, grant_id: UUID, held: SealedTokens) -> Grant:
        """Other tokens, of a new authorization; the grant is active."""
        ...

    def refreshed(self, grant_id: UUID, held: SealedTokens) -> None: ...

    def failed(self, grant_id: UUID, reason: str, *, state: GrantState) -> None: ...

    def used(self, grant_id: UUID) -> None:
        """Note the time, to the minute, unless somebody holds the grant."""
        ...

    def remove(self, grant_id: UUID) -> None: ...
