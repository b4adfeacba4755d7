"""API keys: long-lived secrets for programs, each with some of the rights of its account.

A key is ``atom_`` and 71 letters and digits: its identifier, 256 random bits and a checksum. By the
prefix secret scanners find it; by the checksum a key that was copied badly is told from one that
is wrong, without asking anybody. Invariant: the random part leaves this service once, inside the
key; stored is its SHA-256, for which a slow hash would add nothing: nobody can guess 256 bits.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.permissions import NEVER_BY_KEY, SCOPES, Role, Scope
from atom_backend.domain.secrets import Secret
from atom_backend.errors import FieldProblem, InvalidInput, Unauthenticated

PREFIX = "atom_"
MOST_KEYS = 100
"""Of one account."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_BYTES, _ID_CHARS = 16, 22
_RANDOM_BYTES, _RANDOM_CHARS = 32, 43
_CHECKSUM_CHARS = 6
_CHARS = len(PREFIX) + _ID_CHARS + _RANDOM_CHARS + _CHECKSUM_CHARS


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner sees it. ``last_used_at`` is at most a minute behind."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What a key that is presented is checked against."""

    digest: bytes
    user_id: UUID
    role: Role
    scopes: frozenset[Scope]


class OwnApiKeys(Protocol):
    """The keys of one account."""

    def every(self) -> Sequence[ApiKey]:
        """Newest first."""
        ...

    def get(self, key_id: UUID) -> ApiKey:
        """Raises NotFound."""
        ...

    def add(
        self,
        key_id: UUID,
        digest: bytes,
        name: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None,
    ) -> ApiKey: ...

    def remove(self, key_id: UUID) -> None:
        """Raises NotFound."""
        ...


class PresentedKeys(Protocol):
    """The keys of everybody, before it is known who is asking."""

    def find(self, key_id: UUID) -> StoredKey | None:
        """None where there is none, or it has expired."""
        ...

    def note_use(self, key_id: UUID) -> None:
        """Writes at most once a minute."""
        ...


def new_key(key_id: UUID) -> tuple[Secret, bytes]:
    """A fresh key, and the digest of its random part."""
    random = secrets.token_bytes(_RANDOM_BYTES)
    text = _beginning(key_id) + _encoded(random, _RANDOM_CHARS)
    return Secret(text + _checksum(text)), _digest(random)


def read_key(text: str) -> tuple[UUID, bytes]:
    """The identifier in a key, and the digest of its random part.

    Raises Unauthenticated (code ``damaged_api_key``) for what was never made here.
    """
    body, checksum = text[:-_CHECKSUM_CHARS], text[-_CHECKSUM_CHARS:]
    middle = len(PREFIX) + _ID_CHARS
    try:
        if len(text) != _CHARS or checksum != _checksum(body):
            raise ValueError("the checksum is another one")
        identifier = _decoded(body[len(PREFIX) : middle], _ID_BYTES)
        return UUID(bytes=identifier), _digest(_decoded(body[middle:], _RANDOM_BYTES))
    except (ValueError, OverflowError):
        raise Unauthenticated(
            "This is no API key: it was not copied as a whole, or with a mistake.",
            code="damaged_api_key",
        ) from None


def masked(key_id: UUID) -> str:
    """So much of a key that it can be recognised, and nothing that is secret."""
    return f"{_beginning(key_id)}…"


def require_grantable(scopes: Sequence[Scope], role: Role) -> frozenset[Scope]:
    """The scopes of a new key. Raises InvalidInput for those that an account of this role cannot
    give away."""
    may = SCOPES[role] - NEVER_BY_KEY
    problems = [
        FieldProblem(f"/scopes/{place}", _why_not(scope, role))
        for place, scope in enumerate(scopes)
        if scope not in may
    ]
    if problems:
        raise InvalidInput(problems=problems)
    return frozenset(scopes)


def _why_not(scope: Scope, role: Role) -> str:
    if scope in NEVER_BY_KEY:
        return f"No API key can have {scope}: it needs a login."
    return f"An account of the role {role} does not have {scope}."


def _beginning(key_id: UUID) -> str:
    return PREFIX + _encoded(key_id.bytes, _ID_CHARS)


def _digest(random: bytes) -> bytes:
    return hashlib.sha256(random).digest()


def _checksum(text: str) -> str:
    return _encoded(zlib.crc32(text.encode()).to_bytes(4), _CHECKSUM_CHARS)


def _encoded(raw: bytes, length: int) -> str:
    """In base 62, with leading zeros."""
    number, found = int.from_bytes(raw), ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found


def _decoded(text: str, length: int) -> bytes:
    """Raises ValueError or OverflowError for what ``_encoded`` cannot have made."""
    number = 0
    for letter in text:
        number = number * len(_DIGITS) + _DIGITS.index(letter)
    return number.to_bytes(length)
