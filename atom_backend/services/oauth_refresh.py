"""Refreshing a grant: once, whoever asks for it and in how many processes.

The grant's row is locked while its provider is asked, which is what other processes wait for; in
one process others wait without a connection (``SingleFlight``). Invariants: what a provider issued
is committed before anybody gets it; a failure that may pass changes nothing but what is said about
it; what the provider has refused is not asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import BoundedSemaphore, Event
from uuid import UUID

from atom_backend.clock import Clock
from atom_backend.domain.audit import AuditAction
from atom_backend.domain.oauth import OAuthProvider, Providers, merged
from atom_backend.domain.oauth_grants import Grant, GrantState, SealedTokens, settled_meanwhile
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.permissions import Scope
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.errors import (
    DatabaseUnavailable,
    GrantRefused,
    ProviderRefused,
    ProviderUnavailable,
)
from atom_backend.services.oauth_keeping import Keeping

logger = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds by which the wait for a row is longer than what its holder waits for."""
_AGAIN = (0.2, 1.0, 3.0)
"""Seconds before each new attempt to store what a provider has issued."""

Count = Callable[[str, str, str], None]
"""Counts what happened: the metric, the provider, the outcome."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there are no new tokens."""

    reason: str
    outcome: str
    action: AuditAction = AuditAction.FAIL
    state: GrantState = GrantState.ACTIVE


def lend(work: OwnerWork, principal: Principal, grant_id: UUID) -> None:
    """Let a service work on this grant, whosever it is."""
    if Scope.GRANTS_TOKEN_ANY in principal.scopes:
        work.grants.lend(grant_id)


class Refresh:
    """``turns`` bounds how many grants are held at once: each takes a connection meanwhile."""

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

    def once(self, principal: Principal, seen: Grant) -> None:
        """Bring the grant to new tokens, or note why not, unless that was done since ``seen``."""
        provider = self._providers.get(seen.provider)
        if not self._turns.acquire(timeout=provider.deadline):
            logger.warning("grant %s waited for its turn to be refreshed in vain", seen.id)
            return
        try:
            self._under_lock(principal, seen, provider)
        finally:
            self._turns.release()

    def _under_lock(self, principal: Principal, seen: Grant, provider: OAuthProvider) -> None:
        answer: SealedTokens | Failure | None = None
        try:
            with self._transactions.owner(principal) as work:
                lend(work, principal, seen.id)
                held = work.grants.lock(seen.id, seconds=provider.deadline + GRACE)
                if settled_meanwhile(seen, held):
                    return
                answer = self._ask(provider, held)
                _write(work, seen, answer)
        except DatabaseUnavailable:
            if not isinstance(answer, SealedTokens):
                raise
            self._write_again(principal, seen, answer)
        outcome = answer.outcome if isinstance(answer, Failure) else "refreshed"
        self._count("refreshes", seen.provider, outcome)

    def _ask(self, provider: OAuthProvider, held: Grant) -> SealedTokens | Failure:
        tokens = self._keeping.tokens(held)
        assert tokens.refresh_token is not None
        asked_at = self._clock.now()
        try:
            issued = merged(tokens, provider.refresh(tokens.refresh_token))
        except GrantRefused:
            state = GrantState.REAUTHORIZATION_REQUIRED
            return Failure("invalid_grant", "refused", AuditAction.REFUSE, state)
        except ProviderRefused as error:
            logger.warning(
                "%s refused to refresh grant %s: %s", held.provider, held.id, error.error
            )
            return Failure(f"{error.code}:{error.error}", "failed")
        except ProviderUnavailable as error:
            logger.warning("%s did not refresh grant %s: %s", held.provider, held.id, error.message)
            return Failure(error.code, "unavailable")
        return self._keeping.sealed(issued, held.id, held.owner_id, asked_at)

    def _write_again(self, principal: Principal, seen: Grant, issued: SealedTokens) -> None:
        """The tokens are in memory alone: a lost connection, or a login that ends now, must not
        cost the grant. What somebody else has written meanwhile stands.
        """
        unbound = replace(principal, session_id=None, key=None)
        for pause in _AGAIN:
            Event().wait(pause)
            try:
                with self._transactions.owner(unbound) as work:
                    lend(work, unbound, seen.id)
                    held = work.grants.lock(seen.id, seconds=GRACE)
                    if not settled_meanwhile(seen, held):
                        _write(work, seen, issued)
                return
            except DatabaseUnavailable as error:
                logger.warning("new tokens of grant %s wait: %s", seen.id, error.message)
        logger.error("new tokens of grant %s could not be stored, and are lost", seen.id)
        raise DatabaseUnavailable()


def _write(work: OwnerWork, seen: Grant, answer: SealedTokens | Failure) -> None:
    if isinstance(answer, SealedTokens):
        work.grants.refreshed(seen.id, answer)
        work.audit.note(AuditAction.REFRESH, "oauth_grants", seen.id)
    else:
        work.grants.failed(seen.id, answer.reason, state=answer.state)
        work.audit.note(answer.action, "oauth_grants", seen.id)
