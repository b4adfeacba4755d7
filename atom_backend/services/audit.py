"""Reading the audit trail, which only an administrator may.

Invariant: as in ``administration``: nothing of it is seen by anybody else.
"""

from __future__ import annotations

from atom_backend.domain.audit import AuditEntry, AuditListing
from atom_backend.domain.audit_chain import Depth, Head
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.services.administration import administrating


class Audit:
    """The administrator's use case. Raises Forbidden for everybody else."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def listing(self, principal: Principal, listing: AuditListing) -> list[AuditEntry]:
        """Newest first."""
        with administrating(self._transactions, principal) as work:
            return work.audit.listing(listing)

    def head(self, principal: Principal) -> tuple[Head, Depth]:
        """Where the chain of seals ends, and what waits for its seal."""
        with administrating(self._transactions, principal):
            pass
        with self._transactions.auditor() as work:
            return work.chain.head(), work.chain.depth()

    def depth(self) -> Depth:
        """For metrics: numbers that say nothing about anybody."""
        with self._transactions.auditor() as work:
            return work.chain.depth()
