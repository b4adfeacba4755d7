"""Accounts, sessions and refresh tokens, as values.

Invariant: a refresh token leaves this service once, as text; it is stored only as its SHA-256.
A session is one login; all refresh tokens rotated from that login form its family, and using one
twice revokes the session (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from atom_backend.domain.permissions import Role

_PREFIX = "atr_"


@dataclass(frozen=True, slots=True)
class User:
    """An account; ``email`` is kept as typed, and unique without regard to case."""

    id: UUID
    email: str
    display_name: str | None
    role: Role
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """What a login is checked against."""

    user: User
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A stored refresh token with the session it belongs to."""

    digest: bytes = field(repr=False)
    session_id: UUID
    user_id: UUID
    role: Role
    expires_at: datetime
    used: bool
    revoked: bool


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The answer to a login: RFC 6749, section 5.1. ``expires_in`` is in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    token_type: str = "Bearer"


def new_refresh_token() -> str:
    """A fresh opaque token with 256 random bits, recognisable by its prefix."""
    return _PREFIX + secrets.token_urlsafe(32)


def refresh_digest(token: str) -> bytes:
    """SHA-256 of the token; plain is enough, because the token is random (256 bits)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def normalized_email(email: str) -> str:
    """The form under which an address is unique."""
    return email.strip().casefold()
