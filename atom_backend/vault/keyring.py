"""The keyring: from each master key, the keys that are used, and the name of it.

Invariant: a master key is used for nothing but deriving, one key for each purpose (HKDF-SHA-256,
RFC 5869), and the id that stands in every sealed secret is derived too: it names a key without
telling anything about it, and needs no configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from atom_backend.domain.master_keys import MasterKey
from atom_backend.errors import VaultUnavailable

KEY_ID_BYTES = 8
_WRAPPING = b"atom-backend vault: wrapping of data keys, version 1"
_NAMING = b"atom-backend vault: id of a master key, version 1"


def derive(secret: bytes, purpose: bytes, length: int = 32) -> bytes:
    """A key of ``length`` bytes for this purpose alone."""
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(secret)


class Keyring:
    """The first key writes, all of them read; there may be none. Each stands there once."""

    def __init__(self, keys: Sequence[MasterKey]) -> None:
        self._wrapping = {
            derive(key.material, _NAMING, KEY_ID_BYTES): AESGCMSIV(derive(key.material, _WRAPPING))
            for key in keys
        }
        self.ids = tuple(self._wrapping)

    @property
    def writing(self) -> bytes:
        """The id of the key that writes. Raises VaultUnavailable where there is none."""
        if not self.ids:
            raise VaultUnavailable("The keyring is empty.", code="vault_key_missing")
        return self.ids[0]

    def wrapping(self, key_id: bytes) -> AESGCMSIV:
        """What wraps and unwraps data keys. Raises VaultUnavailable for a key that is not here."""
        try:
            return self._wrapping[key_id]
        except KeyError:
            raise VaultUnavailable(
                f"A secret is sealed under the key {key_id.hex()}, which the keyring lacks.",
                code="vault_key_wrong",
            ) from None
