"""``EnvelopeSealer``: the port ``Sealer`` on a keyring."""

from __future__ import annotations

from atom_backend.domain.secrets import Place, Secret
from atom_backend.errors import InvalidInput, StoredDataError
from atom_backend.vault.envelope import Envelope, open_envelope, rewrap, seal
from atom_backend.vault.keyring import Keyring


class EnvelopeSealer:
    """Seals under the first key of the keyring and opens under each; without any, neither."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(key_id.hex() for key_id in self._keyring.ids)

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
