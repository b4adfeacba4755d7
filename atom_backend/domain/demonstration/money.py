"""Accounts and transactions of the demonstration: three months of a household."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from atom_backend.domain.demonstration.pieces import Days, Named, Piece, named

_MONTHS = 3
_EVERY_MONTH = (
    ("salary", 1, "2480.00", "salary", "The employer"),
    ("rent", 3, "-1100.00", "rent", "The landlord"),
    ("power", 5, "-64.90", "utilities", "The power company"),
    ("choir", 7, "-15.00", "music", "The choir"),
    ("market", 12, "-83.47", "groceries", "The market"),
    ("bakery", 15, "-12.60", "groceries", "The bakery"),
    ("trains", 18, "-49.00", "travel", "The railway"),
)


def money(days: Days) -> Iterator[Piece]:
    """The accounts, then what went in and out of them."""
    yield from named(
        "accounts",
        {
            "checking": {"name": "Household", "type": "checking", "currency": "EUR"},
            "savings": {"name": "For the island", "type": "savings", "currency": "EUR"},
        },
    )
    yield from named("transactions", {**_household(days), **_saved(days)})


def _household(days: Days) -> dict[str, dict[str, Any]]:
    return {
        f"{name}-{month}": {
            "account_id": Named("accounts", "demo/checking"),
            "amount": Decimal(amount),
            "posted_at": days.months_ago(month, day),
            "category": category,
            "counterparty": other,
        }
        for month in range(1, _MONTHS + 1)
        for name, day, amount, category, other in _EVERY_MONTH
    }


def _saved(days: Days) -> dict[str, dict[str, Any]]:
    return {
        f"saved-{month}": {
            "account_id": Named("accounts", "demo/savings"),
            "amount": Decimal("120.00"),
            "posted_at": days.months_ago(month, 4),
            "category": "savings",
            "description": "A little every month",
        }
        for month in range(1, _MONTHS + 1)
    }
