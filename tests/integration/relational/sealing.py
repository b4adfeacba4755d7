"""Entries of the audit trail that are sealed, and what an intruder with all rights does to them."""

from __future__ import annotations

from collections.abc import Sequence

from atom_backend.coordinator.sealing import Sealing
from atom_backend.domain.audit_breaches import Verification
from atom_backend.domain.audit_chain import Head
from atom_backend.domain.ports import Transactions
from atom_backend.services.audit_verification import AuditVerification
from tests.conftest import RunSql
from tests.making import a_user


def entries(transactions: Transactions, count: int) -> None:
    """So many writes, each in a transaction of its own."""
    for _ in range(count):
        a_user(transactions)


def seal(transactions: Transactions, batch: int = 3) -> None:
    """Two passes: the second one knows that what the first saw is complete."""
    for _ in range(2):
        Sealing(transactions, batch=batch).run_once()


def verify(transactions: Transactions, *known: Head, at_once: int = 4) -> Verification:
    verification = AuditVerification(transactions, at_once=at_once)
    return verification.verify(known, lambda done, total: None)


def head(transactions: Transactions) -> Head:
    return AuditVerification(transactions).head()


def breaches(found: Verification) -> list[tuple[str, int | None, int | None]]:
    return [(one.breach.value, one.position, one.entry_id) for one in found.findings]


def sealed_ids(sql: RunSql) -> list[int]:
    return [row.entry_id for row in sql("select entry_id from audit_seals order by position")]


def intrude(sql: RunSql, statements: Sequence[str]) -> None:
    """As the superuser, who first puts the triggers out of his way."""
    for table in ("audit_entries", "audit_seals"):
        sql(f"alter table {table} disable trigger all")
    for statement in statements:
        sql(statement)
