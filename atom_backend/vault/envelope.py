"""A sealed secret as bytes: envelope encryption with AES-256-GCM-SIV (RFC 8452).

    version (1) | key id (8) | nonce (12) | wrapped data key (32 + 16) | sealed text (n + 16)

The text is sealed under a random data key that is used once, so its nonce is constant. The data key
is wrapped by a key of the keyring under a random nonce; should a nonce ever repeat, GCM-SIV gives
away no more than that. Associated data binds both parts to their place and the wrapping to its key.
The text's part does not name the key, so that another key can take over without touching it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from atom_backend.domain.secrets import Place
from atom_backend.errors import StoredDataError
from atom_backend.vault.keyring import KEY_ID_BYTES, Keyring

VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_TAG_BYTES = 16
_HEAD = Struct(f"{KEY_ID_BYTES}s{_NONCE_BYTES}s{_KEY_BYTES + _TAG_BYTES}s")
_HEAD_BYTES = len(VERSION) + _HEAD.size
_USED_ONCE = bytes(_NONCE_BYTES)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of a sealed secret."""

    key_id: bytes
    nonce: bytes
    wrapped: bytes
    body: bytes

    @classmethod
    def read(cls, sealed: bytes) -> Envelope:
        """Raises StoredDataError for what has not the form of one."""
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES or not sealed.startswith(VERSION):
            raise StoredDataError("A sealed secret has not the form of one.")
        key_id, nonce, wrapped = _HEAD.unpack_from(sealed, len(VERSION))
        return cls(key_id, nonce, wrapped, sealed[_HEAD_BYTES:])

    def __bytes__(self) -> bytes:
        return VERSION + self.key_id + self.nonce + self.wrapped + self.body


def seal(text: bytes, place: Place, keyring: Keyring) -> Envelope:
    """Under the key that writes."""
    data_key = AESGCMSIV.generate_key(_KEY_BYTES * 8)
    body = AESGCMSIV(data_key).encrypt(_USED_ONCE, text, _bound_to("text", place))
    return _wrap(data_key, body, place, keyring)


def open_envelope(envelope: Envelope, place: Place, keyring: Keyring) -> bytes:
    """The text. Raises StoredDataError, or VaultUnavailable where the keyring lacks its key."""
    return _open(_unwrap(envelope, place, keyring), envelope, place)


def rewrap(envelope: Envelope, place: Place, keyring: Keyring) -> Envelope:
    """The same body, its data key wrapped by the key that writes. Raises as ``open_envelope``.

    The body is opened on the way: what does not open is found now, while the old key is at hand.
    """
    data_key = _unwrap(envelope, place, keyring)
    _open(data_key, envelope, place)
    return _wrap(data_key, envelope.body, place, keyring)


def _wrap(data_key: bytes, body: bytes, place: Place, keyring: Keyring) -> Envelope:
    key_id, nonce = keyring.writing, secrets.token_bytes(_NONCE_BYTES)
    bound = _bound_to("key", place, key_id)
    wrapped = keyring.wrapping(key_id).encrypt(nonce, data_key, bound)
    return Envelope(key_id, nonce, wrapped, body)


def _unwrap(envelope: Envelope, place: Place, keyring: Keyring) -> bytes:
    wrapping = keyring.wrapping(envelope.key_id)
    bound = _bound_to("key", place, envelope.key_id)
    try:
        return wrapping.decrypt(envelope.nonce, envelope.wrapped, bound)
    except InvalidTag:
        raise _refusal(place) from None


def _open(data_key: bytes, envelope: Envelope, place: Place) -> bytes:
    try:
        return AESGCMSIV(data_key).decrypt(_USED_ONCE, envelope.body, _bound_to("text", place))
    except InvalidTag:
        raise _refusal(place) from None


def _refusal(place: Place) -> StoredDataError:
    return StoredDataError(
        f"What stands in {place.table}.{place.column} of the row {place.row_id} "
        "was not sealed for it, or was changed."
    )


def _bound_to(part: str, place: Place, key_id: bytes = b"") -> bytes:
    """Associated data; every field brings its length, so that no two places give the same."""
    fields = (
        b"atom-backend vault",
        VERSION,
        part.encode(),
        key_id,
        place.table.encode(),
        place.row_id.bytes,
        place.column.encode(),
        place.owner_id.bytes,
    )
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)
