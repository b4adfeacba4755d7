"""Transactions: what came into an account, and what went out of it.

Invariants: an amount is exact and in the currency of its account; the two sides of a transfer come
and go together, and neither changes its amount or account alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from atom_backend.domain.finance import ledger, money
from atom_backend.domain.finance.currencies import currency
from atom_backend.domain.limits import NAME_CHARS, TAG_CHARS
from atom_backend.domain.resources.fields import Amount, Field, Moment, Reference, Text
from atom_backend.domain.resources.listing import Filter, Match
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused

_SIDES = 2
_FIXED = ("amount", "account_id")
"""What the two sides of a transfer have agreed on."""


class TransactionRules(Rules):
    """Accounts and their currencies, and what holds a transfer together."""

    serial = True

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        if before is not None:
            values = _as_before(values, before.values)
        account = others.of("accounts").find(values["account_id"])
        if account is None:
            raise refused("account_id", "There is no account with this identifier.")
        kept_in = account.values["currency"]
        if before is not None and before.values["currency"] != kept_in:
            raise refused("account_id", f"That account is kept in {kept_in}.")
        draft = ledger.TransactionDraft(
            values["account_id"], values["amount"], values["posted_at"], values["category"]
        )
        amount = ledger.checked(draft, currency(kept_in)).amount
        return Settled({**values, "amount": amount, "currency": kept_in})

    def removed_with(self, record: Record, others: Others) -> Sequence[UUID]:
        transfer_id = record.values["transfer_id"]
        if transfer_id is None:
            return ()
        sides = others.having("transfer_id", transfer_id, most=_SIDES)
        return [one.id for one in sides if one.id != record.id]


def _as_before(values: Values, before: Values) -> Values:
    """Raises InvalidInput where a side of a transfer would leave the other."""
    if before["transfer_id"] is not None:
        for name in _FIXED:
            if values[name] != before[name]:
                raise refused(
                    name, "This is a side of a transfer: remove the transfer and make another."
                )
    if values["amount"] != before["amount"]:
        return values
    return {**values, "amount": shown(before)["amount"]}


def shown(values: Values) -> Values:
    """The amount with the decimal places of its currency, of the four that are kept."""
    text = money.text(values["amount"], currency(values["currency"]))
    return {**values, "amount": Decimal(text)}


TRANSACTIONS = Resource(
    name="transactions",
    one="transaction",
    about="What came into an account (above zero) and what went out of it (below).",
    own=(
        Field(
            "account_id",
            Reference(within="accounts", repeats=("currency",)),
            "The account.",
            required=True,
        ),
        Field("amount", Amount(), "What came in, or with a minus went out.", required=True),
        Field("currency", Text(3), "That of the account.", required=True, given=False),
        Field("posted_at", Moment(), "When it was booked.", required=True),
        Field("category", Text(TAG_CHARS), "What it was for, as in groceries."),
        Field("counterparty", Text(NAME_CHARS), "Who paid it or was paid."),
        Field("description", Text(ledger.DESCRIPTION_CHARS), "What else was said about it."),
        Field(
            "transfer_id",
            Reference(),
            "What the two sides of a transfer between own accounts have in common.",
            given=False,
        ),
    ),
    shows=shown,
    filters=(
        Filter("account_id", "account_id", Match.EQUAL, "Of this account."),
        Filter("category", "category", Match.EQUAL, "For this."),
        Filter("counterparty", "counterparty", Match.EQUAL, "Paid by them or to them."),
        Filter("currency", "currency", Match.EQUAL, "In this currency."),
        Filter("posted_after", "posted_at", Match.FROM, "Booked then or later."),
        Filter("posted_before", "posted_at", Match.UNTIL, "Booked earlier."),
        Filter("amount_from", "amount", Match.FROM, "This much or more; signs count."),
        Filter("amount_below", "amount", Match.UNTIL, "Less than this; signs count."),
        Filter("transfer_id", "transfer_id", Match.EQUAL, "The sides of this transfer."),
    ),
    sorts=("posted_at", "amount", "category", "counterparty"),
    rules=TransactionRules(),
    example={
        "account_id": "01936f5e-0000-7000-8000-000000000000",
        "amount": "-12.50",
        "posted_at": "2030-01-31T09:30:00Z",
        "category": "groceries",
    },
)
