"""What became of an account that was deleted, for whoever holds the erasure's identifier.

Invariant: no account is needed to ask, and nothing is told but how much is left.
"""

from __future__ import annotations

from uuid import UUID

from atom_backend.domain.erasures import Erasure, ErasureState
from atom_backend.domain.ports import Transactions
from atom_backend.services.waiting import Waiting


class ErasureService:
    """The use cases around erasures."""

    def __init__(self, transactions: Transactions, *, waiting: Waiting | None = None) -> None:
        self._transactions = transactions
        self._waiting = waiting or Waiting()

    def get(self, erasure_id: UUID) -> Erasure:
        """Raises NotFound."""
        with self._transactions.worker() as work:
            return work.erasures.get(erasure_id)

    def wait_until_done(self, erasure: Erasure, seconds: float) -> Erasure:
        """The erasure once it is done, or as it is after ``seconds``."""
        return self._waiting.while_pending(
            lambda one: one.state is ErasureState.RUNNING,
            erasure,
            lambda one: self.get(one.id),
            seconds,
        )
