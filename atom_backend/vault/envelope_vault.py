"""``EnvelopeVault``: the port ``Vault`` on a keyring, without any store."""

from __future__ import annotations

from atom_backend.domain.secrets import Place, Secret
from atom_backend.errors import InvalidInput, StoredDataError, VaultUnavailable
from atom_backend.vault.envelope import Envelope, open_envelope, rewrap, seal
from atom_backend.vault.keyring import Keyring


class EnvelopeVault:
    """Seals under the first key of the keyring and opens under each."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def key_ids(self) -> tuple[str, ...]:
        """In hexadecimal; the first writes."""
        return tuple(key_id.hex() for key_id in self._keyring.ids)

    def require(self) -> None:
        """There is a key."""

    def seal(self, secret: Secret, place: Place) -> bytes:
        return bytes(seal(_encoded(secret), place, self._keyring))

    def open(self, sealed: bytes, place: Place) -> Secret:
        text = open_envelope(Envelope.read(sealed), place, self._keyring)
        try:
            return Secret(text.decode())
        except UnicodeDecodeError:
            raise StoredDataError("What was sealed is no text.") from None

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        envelope = Envelope.read(sealed)
        if envelope.key_id == self._keyring.writing:
            return sealed
        return bytes(rewrap(envelope, place, self._keyring))

    def key_id(self, sealed: bytes) -> str:
        return Envelope.read(sealed).key_id.hex()


def _encoded(secret: Secret) -> bytes:
    try:
        return secret.reveal().encode()
    except UnicodeEncodeError:
        raise InvalidInput("A secret must be a text that UTF-8 can hold.") from None


class KeylessVault:
    """The port ``Vault`` where no key was given: it seals nothing and opens nothing."""

    def require(self) -> None:
        raise _keyless()

    def seal(self, secret: Secret, place: Place) -> bytes:
        raise _keyless()

    def open(self, sealed: bytes, place: Place) -> Secret:
        raise _keyless()

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        raise _keyless()

    def key_id(self, sealed: bytes) -> str:
        return Envelope.read(sealed).key_id.hex()


def _keyless() -> VaultUnavailable:
    return VaultUnavailable(
        "No key was given to seal OAuth tokens with: set ATOM_OAUTH_ENCRYPTION_KEY.",
        code="vault_key_missing",
    )
