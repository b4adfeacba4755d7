"""The own sessions: which logins are open, and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.sessions import Session


class Sessions:
    """The use cases around the sessions of one account."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def listing(self, principal: Principal) -> Sequence[Session]:
        """The open ones, the one that was refreshed last first."""
        with self._transactions.owner(principal) as work:
            return work.sessions.every()

    def end(self, principal: Principal, session_id: UUID) -> None:
        """Raises NotFound."""
        with self._transactions.owner(principal) as work:
            work.sessions.end(session_id)

    def end_others(self, principal: Principal) -> int:
        """All but the principal's; how many they were."""
        assert principal.session_id is not None
        with self._transactions.owner(principal) as work:
            return work.sessions.end_others(principal.session_id)
