"""Retry of what is parked, once an operator has put right why it was parked."""

from __future__ import annotations

from atom_backend.domain.ports import Transactions
from atom_backend.domain.repairs import RetryReport


class RetryParked:
    """Makes parked entries due again, with all their attempts ahead of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def run(self, *, dry_run: bool = False) -> RetryReport:
        """All of them, in one transaction; with ``dry_run`` only says why they are parked."""
        with self._transactions.worker() as work:
            reasons = work.repairs.parked()
            requeued = 0 if dry_run else work.repairs.retry_parked()
        return RetryReport(reasons, requeued, dry_run)
