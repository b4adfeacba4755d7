"""``GuardedTransactions``: PostgreSQL behind a breaker.

Only the beginning of a transaction is judged, which is a round trip of its own. What happens later
may be the doing of one request (a lock that it waited for, a statement that took too long), and
must not shut others out; and a server that is lost in between is found out by the next beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from atom_backend.domain.audit_chain import AuditorWork
from atom_backend.domain.key_rotation import VaultWork
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.sign_in_work import SignInWork
from atom_backend.domain.worker_work import CensusWork, WorkerWork
from atom_backend.guards.circuit import Circuit

T = TypeVar("T")


class GuardedTransactions:
    """The port ``Transactions``."""

    def __init__(self, transactions: Transactions, circuit: Circuit) -> None:
        self._transactions = transactions
        self._circuit = circuit

    def owner(self, principal: Principal) -> AbstractContextManager[OwnerWork]:
        return self._guarded(self._transactions.owner(principal))

    def snapshot(self, principal: Principal) -> AbstractContextManager[OwnerWork]:
        return self._guarded(self._transactions.snapshot(principal))

    def sign_in(self, principal: Principal | None = None) -> AbstractContextManager[SignInWork]:
        return self._guarded(self._transactions.sign_in(principal))

    def worker(self) -> AbstractContextManager[WorkerWork]:
        return self._guarded(self._transactions.worker())

    def census(self) -> AbstractContextManager[CensusWork]:
        return self._guarded(self._transactions.census())

    def auditor(self) -> AbstractContextManager[AuditorWork]:
        return self._guarded(self._transactions.auditor())

    def inspection(self) -> AbstractContextManager[AuditorWork]:
        return self._guarded(self._transactions.inspection())

    def vault(self) -> AbstractContextManager[VaultWork]:
        return self._guarded(self._transactions.vault())

    def elected(self, duty: str) -> AbstractContextManager[bool]:
        return self._guarded(self._transactions.elected(duty))

    def probe(self) -> None:
        """Asks PostgreSQL whatever the breaker says, and closes it if there is an answer."""
        self._transactions.probe()
        self._circuit.healthy()

    @contextmanager
    def _guarded(self, transaction: AbstractContextManager[T]) -> Iterator[T]:
        with ExitStack() as stack:
            with self._circuit.attempt():
                work = stack.enter_context(transaction)
            yield work
