"""Transfers between accounts of one owner.

Invariant: a transfer is two drafts, one for each side, or nothing at all; within one currency they
cancel each other out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from atom_backend.domain.finance import money
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft, checked
from atom_backend.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is to be moved. ``to_amount``: what arrives, in the currency of the other account."""

    from_account_id: UUID
    to_account_id: UUID
    amount: Decimal
    posted_at: datetime
    to_amount: Decimal | None = None
    category: str | None = None
    description: str | None = None


def sides(
    transfer: Transfer, origin: LedgerAccount, destination: LedgerAccount, *, transfer_id: UUID
) -> tuple[TransactionDraft, TransactionDraft]:
    """What leaves ``origin`` and what reaches ``destination``; both must be stored, or neither.

    Raises InvalidInput, ``invalid_transfer`` where the accounts or amounts do not go together.
    """
    problem = _problem(transfer, origin, destination)
    if problem is not None:
        raise InvalidInput(
            f"This transfer is not possible: {problem.pointer[1:]} {problem.detail}.",
            code="invalid_transfer",
            problems=[problem],
        )
    arriving = transfer.amount if transfer.to_amount is None else transfer.to_amount
    pointer = "/amount" if transfer.to_amount is None else "/to_amount"
    reaching = TransactionDraft(
        account_id=destination.id,
        amount=money.in_currency(arriving, destination.currency, pointer=pointer),
        posted_at=transfer.posted_at,
        category=transfer.category,
        description=transfer.description,
        transfer_id=transfer_id,
    )
    leaving = replace(reaching, account_id=origin.id, amount=money.negated(transfer.amount))
    return checked(leaving, origin.currency), checked(reaching, destination.currency)


def _problem(
    transfer: Transfer, origin: LedgerAccount, destination: LedgerAccount
) -> FieldProblem | None:
    if origin.id == destination.id:
        return FieldProblem("/to_account_id", "must be another account than the one it leaves")
    if transfer.amount <= 0:
        return FieldProblem("/amount", "must be above zero: exchange the accounts instead")
    if transfer.to_amount is not None and transfer.to_amount <= 0:
        return FieldProblem("/to_amount", "must be above zero")
    if origin.currency == destination.currency:
        if transfer.to_amount not in (None, transfer.amount):
            return FieldProblem("/to_amount", "must be the amount: both accounts have one currency")
    elif transfer.to_amount is None:
        names = f"{origin.currency.code} and {destination.currency.code}"
        return FieldProblem("/to_amount", f"is needed: the accounts are kept in {names}")
    return None
