"""Whether the audit trail is what was sealed, examined from its beginning to its end.

Invariant: nothing is changed; one moment is examined, in pieces, so that memory does not grow with
the trail, and every digest is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence

from atom_backend.domain.audit_breaches import Verification
from atom_backend.domain.audit_chain import AuditChain, Head
from atom_backend.domain.drift import Progress
from atom_backend.domain.ports import Transactions

_AT_ONCE = 5_000
_BELOW_ALL = -(1 << 63)
_PATIENCE = 900.0
"""Seconds that an entry may be without a seal: a worker seals within seconds, but an import is one
transaction of minutes, and its entries bear the time of its beginning."""


class AuditVerification:
    """For operators, who are no account's owner."""

    def __init__(self, transactions: Transactions, *, at_once: int = _AT_ONCE) -> None:
        self._transactions = transactions
        self._at_once = at_once

    def head(self) -> Head:
        """Where the chain ends now."""
        with self._transactions.inspection() as work:
            return work.chain.head()

    def verify(self, known: Sequence[Head], progress: Progress) -> Verification:
        """Examine everything; ``known`` are heads that were noted before."""
        with self._transactions.inspection() as work:
            base, head = work.chain.base(), work.chain.head()
            verification = Verification(base, known)
            while True:
                links = work.chain.links(verification.head.position, self._at_once)
                if not links:
                    break
                verification.examine(links)
                progress(verification.head.position - base.position, head.position - base.position)
            verification.end()
            self._look_for_strays(work.chain, verification)
            depth = work.chain.depth()
        if depth.seconds > _PATIENCE:
            verification.waits(depth.unsealed, depth.seconds)
        return verification

    def _look_for_strays(self, chain: AuditChain, verification: Verification) -> None:
        settled, after = chain.mark().settled_id, _BELOW_ALL
        while after < settled:
            last, strays = chain.strays(after, self._at_once)
            for entry_id in strays:
                if entry_id <= settled:
                    verification.stray(entry_id)
            if last is None:
                return
            after = last
