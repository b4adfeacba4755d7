"""Keys and vaults for tests."""

from __future__ import annotations

from atom_backend.domain.master_keys import read_key
from atom_backend.domain.ports import Transactions
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer

VAULT_KEY = "8wR#kTq2!vLm5zXc9@bNd7$hJf4%gYs1"
"""What the services of tests seal with."""

OTHER_KEY = "Zt6&pQx3^eUo0*wKi8(rVa2)mBn5_cHy"


def sealer(*keys: str) -> EnvelopeSealer:
    """With these keys, the first of which writes."""
    return EnvelopeSealer(Keyring([read_key(key) for key in keys]))


def a_vault(transactions: Transactions, *keys: str) -> VerifiedVault:
    return VerifiedVault(sealer(*keys), transactions)
