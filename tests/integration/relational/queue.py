"""Short ways to work with index entries in tests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.index_state import Confirmation, Lease
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql

MAX_ATTEMPTS = 4
SOMEBODY = new_id()


def lease(
    transactions: PostgresTransactions,
    limit: int = 99,
    *,
    suspects: bool = False,
    holder: UUID = SOMEBODY,
) -> list[Lease]:
    with transactions.worker() as work:
        return work.index.lease(
            holder, limit=limit, seconds=60, suspects=suspects, max_attempts=MAX_ATTEMPTS
        )


def settle(transactions: PostgresTransactions, spec: str = "spec") -> set[UUID]:
    """Lease everything that is due and confirm it."""
    leases = lease(transactions)
    with transactions.worker() as work:
        done = [Confirmation(one.item_id, one.revision, spec, 1) for one in leases]
        return work.index.confirm(done, leases[0].fence)


def entry(sql: RunSql, item_id: UUID) -> Any:
    """The entry's row, as it is."""
    (row,) = sql("select * from index_entries where item_id = :id", id=item_id)
    return row


def expire_leases(sql: RunSql) -> None:
    """Let time pass until every lease has run out."""
    sql("update index_entries set due_at = now() - interval '1 second' where state = 'leased'")
