"""Access tokens: short-lived JWTs (RFC 7519) signed with HMAC-SHA-256.

They can be checked without any store, so that a caller is known while PostgreSQL is down. The
algorithm is fixed here and never read from a token (RFC 8725, section 3.1).
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from atom_backend.clock import Clock
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import ConfigurationError, Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "atom-backend"
_AUDIENCE = "atom-backend-api"
SHORTEST_KEY = 32
"""Bytes: the size of the hash (RFC 7518, section 3.2)."""

_REMEMBERED = 1_024
"""Tokens."""


class SignedAccessTokens:
    """The ``AccessTokens`` port. ``key`` is the signing secret, at least 32 bytes."""

    def __init__(self, key: bytes, clock: Clock, *, lifetime: timedelta) -> None:
        if len(key) < SHORTEST_KEY:
            raise ConfigurationError(f"The signing key must have at least {SHORTEST_KEY} bytes.")
        self._key = key
        self._clock = clock
        self._lifetime = lifetime
        # Verifying takes longer than anything else that is done to a request before it is served,
        # and a token that was genuine stays so. Whether it has expired is asked each time.
        self._verified = lru_cache(_REMEMBERED)(self._verify)

    @property
    def lifetime(self) -> int:
        return int(self._lifetime.total_seconds())

    def issue(self, principal: Principal) -> str:
        """A token for one session. Raises ValueError for a principal without a session."""
        if principal.session_id is None:
            raise ValueError("an access token belongs to a session")
        now = self._clock.now()
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(principal.user_id),
            "sid": str(principal.session_id),
            "role": principal.role.value,
            "iat": int(now.timestamp()),
            "exp": int((now + self._lifetime).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Principal:
        """Raises Unauthenticated (code ``token_expired`` or ``invalid_token``)."""
        principal, expires_at = self._verified(token)
        if expires_at <= self._clock.now().timestamp():
            raise Unauthenticated(
                "The access token has expired: use the refresh token.", code="token_expired"
            )
        return principal

    def _verify(self, token: str) -> tuple[Principal, int]:
        """Whose the token is, and when it expires (seconds since 1970). Raises Unauthenticated."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                options={
                    "require": ["sub", "sid", "role", "exp", "iat"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            principal = Principal(UUID(claims["sub"]), UUID(claims["sid"]), Role(claims["role"]))
            return principal, int(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError):
            raise Unauthenticated("The access token is not valid.", code="invalid_token") from None
