"""Bank statements: a preview of how a file is read, and the import of its rows.

Every row that can be read is stored, in one transaction; the others are named. A row is called by
its account and what the bank calls it, or by what it says: what is there already is left alone.
Invariant: a statement that is imported again, or that overlaps with another, adds nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.currencies import currency
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import (
    Preview,
    RefusedRow,
    StatementMapping,
    Statements,
)
from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.accounts import ACCOUNTS
from atom_backend.domain.resources.transactions import TRANSACTIONS
from atom_backend.errors import Conflict
from atom_backend.services.bookkeeping import values_of


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to: ``known`` rows were there before, ``refused`` ones are not stored."""

    rows: int
    added: int
    known: int
    refused: Sequence[RefusedRow]


class StatementImport:
    """The use cases around the statements of one account."""

    def __init__(self, transactions: Transactions, statements: Statements) -> None:
        self._transactions = transactions
        self.files = statements

    def preview(
        self,
        principal: Principal,
        account_id: UUID,
        content: bytes,
        zone: ZoneInfo,
        chosen: StatementMapping,
    ) -> Preview:
        """What an import would make of it. Raises NotFound, InvalidInput or TooLarge."""
        account = self._account(principal, account_id)
        found = self.files.preview(content, account, zone, chosen)
        return replace(found, sample=tuple(map(_named, found.sample)))

    def load(
        self,
        principal: Principal,
        account_id: UUID,
        content: bytes,
        zone: ZoneInfo,
        mapping: StatementMapping,
    ) -> Imported:
        """Raises as ``preview`` does, and Conflict where the account has changed meanwhile."""
        account = self._account(principal, account_id)
        rows = list(map(_named, self.files.rows(content, mapping, account, zone)))
        drafts = [row for row in rows if isinstance(row, TransactionDraft)]
        kept_in = {"currency": account.currency.code}
        with self._transactions.owner(principal) as work:
            work.take_turn()
            if _ledger_account(work, account_id) != account:
                raise Conflict("The account's currency has changed: preview the file again.")
            values = [values_of(draft) | kept_in for draft in drafts]
            added = work.records(TRANSACTIONS).add_new(values)
        refused = [row for row in rows if isinstance(row, RefusedRow)]
        return Imported(len(rows), added, len(drafts) - added, refused)

    def _account(self, principal: Principal, account_id: UUID) -> LedgerAccount:
        with self._transactions.owner(principal) as work:
            return _ledger_account(work, account_id)


def _ledger_account(work: OwnerWork, account_id: UUID) -> LedgerAccount:
    """Raises NotFound."""
    found = work.records(ACCOUNTS).get(account_id)
    return LedgerAccount(account_id, currency(found.values["currency"]))


def _named(row: TransactionDraft | RefusedRow) -> TransactionDraft | RefusedRow:
    """Two accounts may be kept by banks that number alike."""
    if isinstance(row, RefusedRow):
        return row
    name = f"{row.account_id}:{row.external_id}"
    if len(name) > NAME_CHARS:
        name = f"{row.account_id}:long-{hashlib.sha256(name.encode()).hexdigest()}"
    return replace(row, external_id=name)
