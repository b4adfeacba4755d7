"""Reading the audit trail, which only an administrator may.

Invariant: row-level security shows nothing of it to anybody else.
"""

from __future__ import annotations

from atom_backend.domain.audit import AuditEntry, AuditListing
from atom_backend.domain.audit_chain import Depth, Head
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal


class Audit:
    """The administrator's use case."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def listing(self, principal: Principal, listing: AuditListing) -> list[AuditEntry]:
        """Newest first."""
        with self._transactions.owner(principal) as work:
            return work.audit.listing(listing)

    def head(self, principal: Principal) -> tuple[Head, Depth]:
        """Where the chain of seals ends, and what waits for its seal."""
        with self._transactions.owner(principal):
            pass  # It has begun, so whoever asks has lost neither session nor role.
        with self._transactions.auditor() as work:
            return work.chain.head(), work.chain.depth()

    def depth(self) -> Depth:
        """For metrics: numbers that say nothing about anybody."""
        with self._transactions.auditor() as work:
            return work.chain.depth()
