"""Authorizing at a provider (RFC 6749, section 4.1, with PKCE): begin, come back, finish once.

Invariants: tokens go to whoever began the flow, and only if it was that owner, or the browser in
which the flow was begun, that came back with them (RFC 9700, section 4.7); a flow that was taken is
over, whatever the provider then says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from atom_backend.clock import Clock, new_id
from atom_backend.domain.audit import AuditAction
from atom_backend.domain.oauth import IssuedTokens, ProviderDescription, Providers, new_verifier
from atom_backend.domain.oauth_flows import Flow, flow_place, new_random
from atom_backend.domain.oauth_grants import Grant
from atom_backend.domain.oauth_redirects import Redirects
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import Secret
from atom_backend.errors import (
    AtomError,
    Forbidden,
    GrantRefused,
    InvalidInput,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    RequestError,
)
from atom_backend.services.oauth_keeping import Keeping
from atom_backend.services.oauth_refresh import Count

FLOW_SECONDS = 600
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an owner asks for; None leaves the choice to the configuration."""

    scopes: Sequence[str] | None = None
    redirect_uri: str | None = None
    return_to: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """What binds a flow to a browser: a secret, and the address that it is meant for."""

    secret: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and the cookie that it is to come back with, if any."""

    authorization_url: str
    state: str
    cookie: Cookie | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """The parameters with which a browser came back (RFC 6749, section 4.1.2; RFC 9207)."""

    state: str
    code: Secret | None = None
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A grant, and whether it is a new one; where the browser came back to, and is to go on to."""

    grant: Grant
    new: bool
    return_to: str | None
    redirect_uri: str


class Authorizations:
    """The use cases."""

    def __init__(
        self,
        transactions: Transactions,
        keeping: Keeping,
        providers: Providers,
        redirects: Redirects,
        *,
        clock: Clock,
        count: Count,
    ) -> None:
        self._transactions = transactions
        self._keeping = keeping
        self._providers = providers
        self._redirects = redirects
        self._clock = clock
        self._count = count

    def providers(self) -> list[ProviderDescription]:
        """Where owners can authorize, by name."""
        return [self._providers.get(name).description for name in self._providers.names]

    def begin(self, principal: Principal, provider: str, wish: Wish) -> Begun:
        """Raises NotFound, InvalidInput, VaultUnavailable, and what the provider's port raises."""
        chosen = self._providers.get(provider)
        redirect_uri = self._redirects.redirect_uri(provider, wish.redirect_uri)
        return_to = self._redirects.return_to(wish.return_to, redirect_uri, provider)
        self._keeping.vault.require()
        verifier, state, browser = new_verifier(), new_random(), new_random()
        scopes = tuple(chosen.description.scopes if wish.scopes is None else wish.scopes)
        url = chosen.authorization_url(
            state=state, verifier=verifier, redirect_uri=redirect_uri, scopes=scopes
        )
        flow_id = new_id()
        place = flow_place(flow_id, principal.user_id)
        flow = Flow(
            id=flow_id,
            owner_id=principal.user_id,
            session_id=principal.session_id,
            provider=provider,
            account=wish.account,
            verifier=self._keeping.vault.seal(verifier, place),
            redirect_uri=redirect_uri,
            scopes=scopes,
            return_to=return_to,
            expires_at=self._clock.now() + timedelta(seconds=FLOW_SECONDS),
        )
        with self._transactions.owner(principal) as work:
            work.flows.begin(flow, state, browser)
            work.audit.note(AuditAction.AUTHORIZE, "oauth_flows", flow.id)
        self._count("authorizations", provider, "begun")
        cookie = Cookie(browser, redirect_uri) if self._is_own(flow) else None
        return Begun(url, state, cookie, flow.expires_at)

    def finish(self, principal: Principal, provider: str, returned: Returned) -> Finished:
        """By the flow's owner. Raises NotFound (``flow_not_found``) where there is none of theirs.

        Raises Forbidden (``authorization_denied``) or RequestError (``authorization_failed``)
        where the browser brought an error, and what the provider's port raises.
        """
        self._keeping.vault.require()
        with self._transactions.owner(principal) as work:
            flow = work.flows.take(provider, returned.state)
        return self._finish(flow, principal, returned)

    def finish_in_browser(self, provider: str, returned: Returned, browser: str) -> Finished:
        """By the browser with the flow's cookie. Raises as ``finish``."""
        self._keeping.vault.require()
        with self._transactions.sign_in() as work:
            taken = work.flows.take(provider, returned.state, browser)
        if taken is None:
            raise _no_flow()
        flow, role = taken
        return self._finish(flow, Principal(flow.owner_id, flow.session_id, role), returned)

    def _is_own(self, flow: Flow) -> bool:
        return flow.redirect_uri == self._redirects.callback(flow.provider)

    def _finish(self, flow: Flow | None, principal: Principal, returned: Returned) -> Finished:
        if flow is None:
            raise _no_flow()
        asked_at = self._clock.now()
        try:
            issued = self._exchange(flow, returned)
        except (RequestError, ProviderRefused, ProviderUnavailable) as error:
            self._note_failure(principal, flow, error)
            raise
        with self._transactions.owner(principal) as work:
            grant, new = self._keeping.keep(
                work, flow.provider, flow.account, issued, issued_at=asked_at
            )
            work.audit.note(AuditAction.FINISH, "oauth_flows", flow.id)
        self._count("authorizations", flow.provider, "finished")
        return Finished(grant, new, flow.return_to, flow.redirect_uri)

    def _exchange(self, flow: Flow, returned: Returned) -> IssuedTokens:
        if returned.error is not None:
            raise _ended(returned.error)
        if returned.code is None:
            raise InvalidInput("There is neither a code nor an error.", code="invalid_callback")
        issued = self._providers.get(flow.provider).exchange(
            code=returned.code,
            verifier=self._keeping.vault.open(flow.verifier, flow.place),
            redirect_uri=flow.redirect_uri,
            issuer=returned.issuer,
        )
        return replace(issued, scopes=flow.scopes) if issued.scopes is None else issued

    def _note_failure(self, principal: Principal, flow: Flow, error: AtomError) -> None:
        refused = isinstance(error, (Forbidden, GrantRefused))
        with self._transactions.owner(principal) as work:
            action = AuditAction.REFUSE if refused else AuditAction.FAIL
            work.audit.note(action, "oauth_flows", flow.id)
        self._count("authorizations", flow.provider, "refused" if refused else "failed")


def _no_flow() -> NotFound:
    return NotFound(
        "No such authorization is under way here: it was finished, has expired, or was begun by"
        " somebody else or in another browser. Begin again.",
        code="flow_not_found",
    )


def _ended(error: str) -> RequestError:
    if error == "access_denied":
        return Forbidden("The authorization was denied.", code="authorization_denied")
    said = error if _ERROR.fullmatch(error) else "an error without a name"
    return RequestError(
        f"The provider ended the authorization with {said}.", code="authorization_failed"
    )
