"""Upkeep of both stores: Lance maintenance by one elected process, and the sweep of expired rows.

Invariant: maintenance never changes what a search finds; only one process does it at a time.
"""

from __future__ import annotations

from atom_backend.domain.ports import Transactions, VectorStore

_DUTY = "vector store maintenance"


class Upkeep:
    """Keeps the vector store compact and its indexes complete."""

    def __init__(self, transactions: Transactions, vectors: VectorStore) -> None:
        self._transactions = transactions
        self._vectors = vectors

    def run_once(self) -> str:
        """A sentence that says what was done."""
        with self._transactions.elected(_DUTY) as mine:
            return self._vectors.maintain() if mine else "Another process maintains LanceDB."


class Sweep:
    """Removes what has expired from PostgreSQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def run_once(self) -> str:
        """A sentence that says what was done."""
        with self._transactions.worker() as work:
            removed = work.sweep()
        said = ", ".join(f"{count} {name}" for name, count in removed.items() if count)
        return f"Removed {said}." if said else "Nothing had expired."
