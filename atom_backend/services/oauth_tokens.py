"""Handing out access tokens of grants.

Invariants: a token that is handed out was valid a moment ago, as far as its provider told, and
leaves an audit entry, without which it is not handed out; one that is good for a while yet is
served without asking its provider or waiting for a lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atom_backend.clock import Clock
from atom_backend.domain.audit import AuditAction
from atom_backend.domain.oauth import Providers
from atom_backend.domain.oauth_grants import Grant, Step, next_step
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import Secret
from atom_backend.errors import AtomError, Conflict, ProviderRefused, ProviderUnavailable
from atom_backend.services.oauth_keeping import Keeping
from atom_backend.services.oauth_refresh import Count, Refresh, lend
from atom_backend.services.single_flight import SingleFlight


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of a provider, for use there (RFC 6750)."""

    token: Secret
    expires_at: datetime | None
    scopes: tuple[str, ...]


class Tokens:
    """The use case."""

    def __init__(
        self,
        transactions: Transactions,
        keeping: Keeping,
        providers: Providers,
        refresh: Refresh,
        *,
        clock: Clock,
        count: Count,
    ) -> None:
        self._transactions = transactions
        self._keeping = keeping
        self._providers = providers
        self._clock = clock
        self._count = count
        self._refresh = refresh
        self._flights = SingleFlight()

    def hand_out(self, principal: Principal, grant_id: UUID) -> AccessToken:
        """A valid token, refreshed if need be.

        Raises NotFound, unless the grant is the caller's or the caller may have everybody's;
        Conflict (``reauthorization_required``, or ``provider_not_configured`` where nobody can
        refresh it); ProviderUnavailable or ProviderRefused where a refresh that was needed failed.
        """
        self._keeping.vault.require()
        found = self._serve(principal, grant_id, tried=False)
        if isinstance(found, Grant):
            self._try_to_refresh(principal, found)
            found = self._serve(principal, grant_id, tried=True)
        assert isinstance(found, AccessToken)
        return found

    def _try_to_refresh(self, principal: Principal, grant: Grant) -> None:
        if grant.provider in self._providers.names:
            self._flights.run(grant.id, lambda: self._refresh.once(principal, grant))

    def _serve(self, principal: Principal, grant_id: UUID, *, tried: bool) -> AccessToken | Grant:
        """The token, or the grant if it is to be refreshed first."""
        with self._transactions.owner(principal) as work:
            lend(work, principal, grant_id)
            grant = work.grants.get(grant_id)
            step = next_step(grant, self._clock.now(), tried=tried)
            if step is Step.REFRESH:
                return grant
            if step is Step.SERVE:
                token = self._keeping.access_token(grant)
                work.grants.used(grant_id)
                work.audit.note(AuditAction.USE, "oauth_grants", grant_id)
        error = self._refusal(grant, step)
        self._count("tokens", grant.provider, error.code if error else "served")
        if error:
            raise error
        return AccessToken(token, grant.expires_at, grant.scopes)

    def _refusal(self, grant: Grant, step: Step) -> AtomError | None:
        if step is Step.SERVE:
            return None
        if step is Step.REAUTHORIZE:
            return Conflict(
                "This grant gives no more tokens: its owner must authorize again.",
                code="reauthorization_required",
            )
        if grant.provider not in self._providers.names:
            return Conflict(
                "The token has expired, and its provider is not configured here.",
                code="provider_not_configured",
            )
        refused = (grant.reason or "").partition(":")
        if refused[0] == ProviderRefused.code:
            return ProviderRefused(error=refused[2])
        return ProviderUnavailable("The token has expired, and its provider gives no new one now.")
