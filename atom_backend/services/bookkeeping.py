"""Transfers between accounts, and what transactions add up to.

Invariant: both sides of a transfer are stored, or neither.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.finance.currencies import currency
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.sums import MOST_SUMS, GroupSum, SumQuestion
from atom_backend.domain.finance.transfers import Transfer, sides
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Others, Record, Values, refused
from atom_backend.domain.resources.transactions import TRANSACTIONS
from atom_backend.errors import InvalidInput
from atom_backend.services.idempotency import Receipt
from atom_backend.services.records import RecordService


class Bookkeeping:
    """The use cases around an owner's transactions beyond those of any record."""

    def __init__(self, transactions: Transactions, records: RecordService) -> None:
        self._transactions = transactions
        self._records = records

    def transfer(
        self,
        principal: Principal,
        transfer: Transfer,
        receipt: Receipt[tuple[Record, ...]] | None = None,
    ) -> tuple[Record, ...] | StoredResponse:
        """What leaves and what arrives, or the kept answer. Raises InvalidInput."""
        plan = partial(_plan, transfer)
        return self._records.create_together(principal, TRANSACTIONS, plan, receipt)

    def sums(self, principal: Principal, question: SumQuestion) -> list[GroupSum]:
        """Raises InvalidInput ``too_many_sums``."""
        with self._transactions.owner(principal) as work:
            found = work.ledger.sums(question, most=MOST_SUMS + 1)
        if len(found) > MOST_SUMS:
            raise InvalidInput(
                f"These are more than {MOST_SUMS:,} sums: ask for a shorter time.",
                code="too_many_sums",
            )
        return found


def values_of(draft: TransactionDraft) -> dict[str, Any]:
    """The draft as a record's values."""
    names = (one.name for one in TRANSACTIONS.fields)
    return {name: getattr(draft, name) for name in names if hasattr(draft, name)}


def account_of(others: Others, account_id: UUID, name: str) -> LedgerAccount:
    """Raises InvalidInput with a problem at ``name``."""
    found = others.of("accounts").find(account_id)
    if found is None:
        raise refused(name, "There is no account with this identifier.")
    return LedgerAccount(account_id, currency(found.values["currency"]))


def _plan(transfer: Transfer, others: Others) -> list[Values]:
    origin = account_of(others, transfer.from_account_id, "from_account_id")
    destination = account_of(others, transfer.to_account_id, "to_account_id")
    drafts = sides(transfer, origin, destination, transfer_id=new_id())
    return [values_of(draft) for draft in drafts]
