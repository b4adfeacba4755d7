"""The grants of an owner: seen without their tokens, stored from elsewhere, ended.

Invariant: a grant that its owner ends is destroyed here, whatever its provider says to that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from uuid import UUID

from atom_backend.clock import Clock
from atom_backend.domain.audit import AuditAction
from atom_backend.domain.oauth import IssuedTokens, OAuthProvider, Providers
from atom_backend.domain.oauth_grants import Grant
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.errors import (
    AtomError,
    GrantRefused,
    ProviderRefused,
    ProviderUnavailable,
    StoredDataError,
    VaultUnavailable,
)
from atom_backend.services.oauth_keeping import Keeping
from atom_backend.services.oauth_refresh import GRACE, Count

logger = logging.getLogger(__name__)

_LOCAL_WAIT = 10.0
"""Seconds for a row, where no provider is asked."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a grant at its provider; ``reason`` says why it was not revoked there."""

    revoked: bool
    reason: str | None = None


class OAuthGrants:
    """The use cases."""

    def __init__(
        self,
        transactions: Transactions,
        keeping: Keeping,
        providers: Providers,
        *,
        clock: Clock,
        count: Count,
        turns: BoundedSemaphore,
    ) -> None:
        self._transactions = transactions
        self._keeping = keeping
        self._providers = providers
        self._clock = clock
        self._count = count
        self._turns = turns

    def listing(
        self, principal: Principal, *, limit: int, after: UUID | None, provider: str | None
    ) -> list[Grant]:
        with self._transactions.owner(principal) as work:
            return work.grants.listing(limit=limit, after=after, provider=provider)

    def get(self, principal: Principal, grant_id: UUID) -> Grant:
        """Raises NotFound."""
        with self._transactions.owner(principal) as work:
            return work.grants.get(grant_id)

    def put(
        self,
        principal: Principal,
        provider: str,
        account: str | None,
        issued: Callable[[datetime], IssuedTokens],
    ) -> tuple[Grant, bool]:
        """Store tokens that were obtained elsewhere; whether there was no grant before.

        ``issued`` tells them by the present time, from which they may reckon their expiry.
        The provider need not be configured: its tokens are kept and served, but not refreshed.
        Raises VaultUnavailable, or Conflict where another request stores the same just now.
        """
        self._keeping.vault.require()
        with self._transactions.owner(principal) as work:
            now = self._clock.now()
            return self._keeping.keep(work, provider, account, issued(now), issued_at=now)

    def remove(self, principal: Principal, grant_id: UUID) -> Ending:
        """Revoke the grant at its provider, where that can be done, and destroy it.

        Raises NotFound.
        """
        provider = self._provider_of(self.get(principal, grant_id))
        if provider is None:
            return self._end(principal, grant_id, None)
        with self._turns:
            return self._end(principal, grant_id, provider)

    def _end(self, principal: Principal, grant_id: UUID, provider: OAuthProvider | None) -> Ending:
        wait = _LOCAL_WAIT if provider is None else provider.deadline + GRACE
        with self._transactions.owner(principal) as work:
            # Under the lock, so that no refresh brings forth tokens that nobody revokes.
            grant = work.grants.lock(grant_id, seconds=wait)
            ending = self._revoke(grant, provider)
            if ending.revoked:
                work.audit.note(AuditAction.REVOKE, "oauth_grants", grant_id)
            work.grants.remove(grant_id)
        self._count("revocations", grant.provider, ending.reason or "revoked")
        return ending

    def _revoke(self, grant: Grant, provider: OAuthProvider | None) -> Ending:
        if provider is None:
            return Ending(revoked=False, reason="provider_not_configured")
        try:
            revoked = provider.revoke(self._keeping.tokens(grant))
        except (
            GrantRefused,
            ProviderRefused,
            ProviderUnavailable,
            StoredDataError,
            VaultUnavailable,
        ) as error:
            _warn(grant, error)
            return Ending(revoked=False, reason=error.code)
        return Ending(revoked) if revoked else Ending(revoked=False, reason="unsupported")

    def _provider_of(self, grant: Grant) -> OAuthProvider | None:
        if grant.provider in self._providers.names:
            return self._providers.get(grant.provider)
        return None


def _warn(grant: Grant, error: AtomError) -> None:
    logger.warning(
        "grant %s was destroyed, but not revoked at %s: %s", grant.id, grant.provider, error.message
    )
