"""Blind indexes: values that can be looked up without standing anywhere.

The key comes from a root of its own, 256 random bits that the vault made once and that are sealed
like any secret. So a rotation seals the root anew and leaves every index as it is, and a unique
constraint on one goes on holding; with a key from the keyring each index would have to be computed
anew, from values that nobody may have at hand.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from atom_backend.domain.secrets import Secret

_ROOT_BYTES = 32
_PURPOSE = b"atom-backend blind index, version 1: "


def new_root() -> Secret:
    """256 random bits, as hexadecimal digits."""
    return Secret(secrets.token_hex(_ROOT_BYTES))


def blind_index(root: Secret, purpose: str, value: str) -> bytes:
    """HMAC-SHA-256 (RFC 2104) of the value, under a key for this purpose alone.

    That key is HMAC-SHA-256 of the purpose: HKDF-Expand (RFC 5869, section 2.3) for one block,
    which is enough, because the root is uniformly random.
    """
    key = _mac(bytes.fromhex(root.reveal()), _PURPOSE + _bytes(purpose) + b"\x01")
    return _mac(key, _bytes(value))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, sha256).digest()
