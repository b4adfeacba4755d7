"""``VerifiedVault``: nothing is sealed or opened before the canary has been opened.

The canary is a secret in PostgreSQL that the first process seals and every process opens, so that
a wrong key is found at the start and not by the first user; it is also the root of blind indexes.
Invariant: under a wrong key nothing is sealed. While PostgreSQL does not answer, it is not known
whether the key is wrong, and the question is asked again at the next use.
"""

from __future__ import annotations

from atom_backend.domain.blind_index import blind_index, new_root
from atom_backend.domain.key_rotation import VaultWork
from atom_backend.domain.ports import Transactions
from atom_backend.domain.secrets import CANARY, Place, Sealer, Secret
from atom_backend.errors import StoredDataError, VaultUnavailable


class VerifiedVault:
    """The port ``Vault``, on a sealer and the canary in PostgreSQL."""

    def __init__(self, sealer: Sealer, transactions: Transactions) -> None:
        self._sealer = sealer
        self._transactions = transactions
        self._root: Secret | None = None
        self._lost: tuple[str, ...] = ()

    @property
    def key_ids(self) -> tuple[str, ...]:
        return self._sealer.key_ids

    def require(self) -> None:
        self._opened()

    def seal(self, secret: Secret, place: Place) -> bytes:
        self._opened()
        return self._sealer.seal(secret, place)

    def open(self, sealed: bytes, place: Place) -> Secret:
        self._opened()
        return self._sealer.open(sealed, place)

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        self._opened()
        return self._sealer.rewrap(sealed, place)

    def key_id(self, sealed: bytes) -> str:
        return self._sealer.key_id(sealed)

    def blind_index(self, purpose: str, value: str) -> bytes:
        return blind_index(self._opened(), purpose, value)

    def probe(self) -> None:
        """Asks PostgreSQL each time: another process may have rotated to a key that is not here."""
        self._root = self._open_canary()
        if self._lost:
            raise VaultUnavailable(
                f"Secrets are sealed under {', '.join(self._lost)}, which the keyring lacks: they "
                "cannot be opened. Give the keyring these keys too, and run 'keys rotate'.",
                code="vault_keys_lacking",
            )

    def _opened(self) -> Secret:
        """The root of blind indexes, which is what the canary holds."""
        if self._root is None:
            self._root = self._open_canary()
        return self._root

    def _open_canary(self) -> Secret:
        if not self.key_ids:
            raise VaultUnavailable(
                "There is no key to seal OAuth tokens with: set ATOM_OAUTH_ENCRYPTION_KEY.",
                code="vault_key_missing",
            )
        with self._transactions.vault() as work:
            sealed = work.canary() or self._first_canary(work)
            if self._root is None or self._lost:
                self._lost = self._keys_lacking(work)
        try:
            return self._sealer.open(sealed, CANARY)
        except VaultUnavailable:
            self._root = None
            raise VaultUnavailable(
                f"The key of the token vault is wrong: this database's secrets are sealed under "
                f"{self.key_id(sealed)}, and the keyring holds {', '.join(self.key_ids)}. Set "
                "ATOM_OAUTH_ENCRYPTION_KEY (or the file vault.key) back to that key.",
                code="vault_key_wrong",
            ) from None
        except StoredDataError:
            self._root = None
            raise VaultUnavailable(
                "The row of vault_canary was changed and does not open: restore it from a backup.",
                code="vault_canary_damaged",
            ) from None

    def _first_canary(self, work: VaultWork) -> bytes:
        # In this order: whoever seals has made the canary before, perhaps only just now.
        used = work.uses()
        if sealed := work.canary():
            return sealed
        if used:
            raise VaultUnavailable(
                "The row of vault_canary is missing although secrets are sealed: restore it from "
                "a backup.",
                code="vault_canary_damaged",
            )
        work.add_canary(self._sealer.seal(new_root(), CANARY))
        made = work.canary()
        assert made is not None
        return made

    def _keys_lacking(self, work: VaultWork) -> tuple[str, ...]:
        return tuple(sorted({use.key_id for use in work.uses()} - set(self.key_ids)))
