"""The use cases of OAuth grants together, for they share what bounds them.

Invariant: asking providers never takes more than a share of this process's connections to
PostgreSQL, so that everything else goes on while a provider is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore

from atom_backend.clock import Clock
from atom_backend.domain.oauth import Providers
from atom_backend.domain.oauth_redirects import Redirects
from atom_backend.domain.ports import Transactions
from atom_backend.domain.secrets import Vault
from atom_backend.services.oauth_authorizations import Authorizations
from atom_backend.services.oauth_grants import OAuthGrants
from atom_backend.services.oauth_keeping import Keeping
from atom_backend.services.oauth_refresh import Refresh
from atom_backend.services.oauth_tokens import Tokens

_SHARE = 4
"""One connection in so many may be held while a provider is asked."""
_OTHER = "other"
"""Names all providers that are not configured, which anybody may make up, in metrics."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """Authorizing, keeping grants, handing out tokens."""

    authorizations: Authorizations
    grants: OAuthGrants
    tokens: Tokens


def assemble_oauth(
    transactions: Transactions,
    vault: Vault,
    providers: Providers,
    redirects: Redirects,
    *,
    clock: Clock,
    count: Callable[[str, str, str], None],
    connections: int,
) -> OAuth:
    """``count`` takes a metric, a provider and an outcome; ``connections``: of the whole pool."""

    def counted(metric: str, provider: str, outcome: str) -> None:
        count(metric, provider if provider in providers.names else _OTHER, outcome)

    keeping = Keeping(vault)
    turns = BoundedSemaphore(max(1, connections // _SHARE))
    refresh = Refresh(transactions, keeping, providers, clock=clock, count=counted, turns=turns)
    return OAuth(
        Authorizations(transactions, keeping, providers, redirects, clock=clock, count=counted),
        OAuthGrants(transactions, keeping, providers, clock=clock, count=counted, turns=turns),
        Tokens(transactions, keeping, providers, refresh, clock=clock, count=counted),
    )
