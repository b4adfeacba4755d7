"""A rotation in a process of its own, which kills itself at a point of choice.

Arguments: the database, the keys, the rows a batch, and the point as ``rewrap:7`` or ``batch:2``.
"""

from __future__ import annotations

import os
import signal
import sys

from atom_backend.domain.secrets import Place
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.keys import Keys
from tests.vaults import sealer


class _Fuse:
    """Counts what happens, and kills this process when it is time."""

    def __init__(self, point: str) -> None:
        self._name, _, number = point.partition(":")
        self._left = int(number)

    def burn(self, name: str) -> None:
        self._left -= name == self._name
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Vault(VerifiedVault):
    fuse: _Fuse

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        rewrapped = super().rewrap(sealed, place)
        self.fuse.burn("rewrap")
        return rewrapped


def main(url: str, keys: str, batch: str, point: str) -> None:
    transactions = PostgresTransactions(create_engine(url))
    vault = _Vault(sealer(*keys.split(",")), transactions)
    vault.fuse = _Fuse(point)
    Keys(transactions, vault, batch=int(batch)).rotate(lambda *_: vault.fuse.burn("batch"))


if __name__ == "__main__":
    main(*sys.argv[1:])
