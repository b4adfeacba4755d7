"""Secrets as values: plaintext in memory, where its sealed form belongs, and the port that seals.

Invariant: plaintext is held as ``Secret``, which neither printing nor logging nor pickling shows;
it leaves by ``reveal()`` alone, so that every place where it does can be found.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import NoReturn, Protocol
from uuid import UUID

_HIDDEN = "Secret(<redacted>)"


class Secret:
    """A text that must not be seen, such as a token of a provider."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for whom it is meant."""
        return self._text

    def __repr__(self) -> str:
        return _HIDDEN

    def __format__(self, form: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        """Takes equally long wherever two texts of one length differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (text.encode("utf-8", "surrogatepass") for text in (self._text, other._text))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of bytea that holds sealed secrets.

    Its table has the columns ``id`` and ``owner_id``, of type uuid, which never change.
    """

    table: str
    column: str


SEALED_COLUMNS = (
    SealedColumn("oauth_grants", "access_token"),
    SealedColumn("oauth_grants", "refresh_token"),
    SealedColumn("oauth_flows", "verifier"),
)
"""Every column with secrets that can be opened; rotation of keys goes through them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed secret belongs: it opens there and nowhere else."""

    table: str
    row_id: UUID
    column: str
    owner_id: UUID


CANARY = Place("vault_canary", UUID(int=1), "sealed", UUID(int=0))
"""Of the one secret that is the vault's own: whoever opens it has the right keys."""


class Sealer(Protocol):
    """Seals secrets, each under a data key of its own, which a key of the keyring wraps.

    All but ``key_id`` raise VaultUnavailable where there is no key, or not the one needed.
    """

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keyring, in hexadecimal: the first writes, all read; empty where there is none."""
        ...

    def seal(self, secret: Secret, place: Place) -> bytes:
        """Raises InvalidInput for a text that has no UTF-8, such as one with a lone surrogate."""
        ...

    def open(self, sealed: bytes, place: Place) -> Secret:
        """Raises StoredDataError for bytes that were not sealed for this place, or were changed."""
        ...

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        """The same secret under the key that writes; what is under it already comes back as it is.

        Raises as ``open``.
        """
        ...

    def key_id(self, sealed: bytes) -> str:
        """Which key it is under, in hexadecimal, known or not. Raises StoredDataError."""
        ...


class Vault(Sealer, Protocol):
    """A ``Sealer`` that is known to have the right keys before it is used.

    Every method but ``key_id`` may also raise DatabaseUnavailable, until that is known.
    """

    def require(self) -> None:
        """Nothing, if secrets can be sealed; to be asked before work begins that needs them."""
        ...

    def blind_index(self, purpose: str, value: str) -> bytes:
        """32 bytes by which an equal value is found again, and from which it cannot be guessed.

        They differ from purpose to purpose and stay the same when keys are rotated.
        """
        ...

    def probe(self) -> None:
        """Look again whether the canary opens. Raises VaultUnavailable or DatabaseUnavailable."""
        ...
