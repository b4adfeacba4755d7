"""OAuth 2.0 as the use cases see it: providers, what they issue, and how an answer is merged.

A provider is somebody else's service that lets an owner's programs act for that owner there
(RFC 6749). Invariants: a token is a ``Secret`` wherever it is in memory; what a provider leaves
out of its answer to a refresh is kept, never lost.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from atom_backend.domain.secrets import Secret

SCOPE_TOKEN = r"^[\x21\x23-\x5B\x5D-\x7E]{1,255}$"
"""One scope (RFC 6749, section 3.3)."""

_VERIFIER_BYTES = 48


@dataclass(frozen=True, slots=True)
class ProviderDescription:
    """What may be shown of a provider."""

    name: str
    """In addresses: lower-case letters, digits and hyphens, at most 40."""
    title: str
    """For people."""
    scopes: tuple[str, ...]
    """Asked for where nobody names others."""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a provider issued at one moment."""

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    """When the access token ends, reckoned from when it was asked for; None if it was not said."""
    scopes: tuple[str, ...] | None = None
    """What was granted; None where it was not said, which means: what was asked for."""


def merged(held: IssuedTokens, answer: IssuedTokens) -> IssuedTokens:
    """What is held after a refresh (RFC 6749, section 6).

    A refresh token or scopes that the answer leaves out stay what they were. The expiry is that
    of the new access token alone.
    """
    return replace(
        answer,
        refresh_token=answer.refresh_token or held.refresh_token,
        scopes=held.scopes if answer.scopes is None else answer.scopes,
    )


def new_verifier() -> Secret:
    """A code verifier of 64 characters, 384 random bits (RFC 7636, section 4.1)."""
    return Secret(secrets.token_urlsafe(_VERIFIER_BYTES))


def challenge_of(verifier: Secret) -> str:
    """The S256 code challenge (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.reveal().encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class OAuthProvider(Protocol):
    """One provider that the operator configured.

    Every method but ``authorization_url`` asks the provider, and any may have to read its
    discovery document first. All raise ProviderUnavailable (the same call may succeed later,
    nothing is known about the grant), ProviderRefused (an error of RFC 6749 that no repetition
    mends, as ``invalid_client``), or what they name; nothing else.
    """

    @property
    def description(self) -> ProviderDescription: ...

    @property
    def deadline(self) -> float:
        """Seconds after which every call has ended, one way or the other."""
        ...

    def authorization_url(
        self, *, state: str, verifier: Secret, redirect_uri: str, scopes: Sequence[str]
    ) -> str:
        """Where the owner's browser goes, with the S256 challenge of ``verifier`` in it."""
        ...

    def exchange(
        self, *, code: Secret, verifier: Secret, redirect_uri: str, issuer: str | None = None
    ) -> IssuedTokens:
        """The tokens for an authorization code.

        ``issuer`` is the parameter ``iss`` with which the browser came back, if any (RFC 9207):
        that of another provider is refused. Raises GrantRefused where code, verifier or redirect
        URI are not those of one authorization, or the code was used before or too late.
        """
        ...

    def refresh(self, refresh_token: Secret, scopes: Sequence[str] = ()) -> IssuedTokens:
        """New tokens; see ``merged``. Without ``scopes`` those of the grant.

        Raises GrantRefused where the grant has ended: revoked, expired, used twice.
        """
        ...

    def revoke(self, held: IssuedTokens) -> bool:
        """End the grant at the provider (RFC 7009, or the provider's own way).

        False where the provider has no such way. What it no longer knows counts as revoked.
        """
        ...


class Providers(Protocol):
    """Every provider that the operator configured."""

    @property
    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        ...

    def get(self, name: str) -> OAuthProvider:
        """Raises NotFound."""
        ...
