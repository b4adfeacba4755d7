"""Accounts: where money is kept.

Invariants: a balance is the sum of the account's transactions, and only they change it; an account
that has transactions keeps its currency, and is not removed.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from atom_backend.domain.finance import money
from atom_backend.domain.finance.currencies import currency
from atom_backend.domain.resources.fields import Amount, Choice, Field, Text, Truth
from atom_backend.domain.resources.listing import Filter, Match
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused
from atom_backend.errors import Conflict

_TYPES = ("checking", "savings", "cash", "credit_card", "loan", "investment", "other")


class AccountRules(Rules):
    """Which currencies there are, and what an account's transactions forbid."""

    serial = True

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        currency(values["currency"])
        if before is not None and before.values["currency"] != values["currency"]:
            kept = _transactions_of(item_id, others)
            if kept:
                raise refused("currency", f"It cannot change: the account has {_counted(kept)}.")
        return Settled(values)

    def removing(self, record: Record, others: Others) -> None:
        kept = _transactions_of(record.id, others)
        if kept:
            raise Conflict(
                f"The account has {_counted(kept)}: empty it first, or set closed to true.",
                code="account_in_use",
            )


def _transactions_of(account_id: UUID, others: Others) -> int:
    return others.of("transactions").count("account_id", account_id)


def _counted(transactions: int) -> str:
    return "one transaction" if transactions == 1 else f"{transactions:,} transactions"


def _shows(values: Values) -> Values:
    kept_in = currency(values["currency"])
    return {**values, "balance": Decimal(money.text(values["balance"], kept_in))}


ACCOUNTS = Resource(
    name="accounts",
    one="account",
    about="Where money is kept; the balance is the sum of the account's transactions.",
    own=(
        Field("name", Text(200), "What its owner calls it.", required=True),
        Field("type", Choice(_TYPES), "What sort of account it is.", default="checking"),
        Field("institution", Text(200), "The bank or company that keeps it."),
        Field(
            "currency",
            Text(3),
            "A code of ISO 4217, as in EUR; it cannot change while there are transactions.",
            required=True,
        ),
        Field(
            "balance",
            Amount(widest=38),
            "The exact sum of its transactions.",
            default=Decimal(0),
            given=False,
            derived=True,
        ),
        Field(
            "closed",
            Truth(),
            "Whether it is no longer used. It still takes transactions, as of its past.",
            default=False,
        ),
    ),
    shows=_shows,
    filters=(
        Filter("type", "type", Match.EQUAL, "What sort of account."),
        Filter("currency", "currency", Match.EQUAL, "Kept in this currency."),
        Filter("closed", "closed", Match.EQUAL, "Whether it is no longer used."),
    ),
    sorts=("name",),
    rules=AccountRules(),
    example={"name": "Everyday", "type": "checking", "currency": "EUR"},
)
