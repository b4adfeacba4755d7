"""What transactions add up to: by currency, and within it by month, by category, or by both.

Invariant: currencies are never added together, and every sum is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.finance.ledger import Sum

MOST_SUMS = 10_000


@dataclass(frozen=True, slots=True)
class SumQuestion:
    """Which transactions to add up, and what to tell apart.

    ``zone``: in which a day belongs to its month. ``since`` includes its moment, ``until`` does
    not. ``transfers``: whether the sides of transfers between own accounts count.
    """

    by_month: bool
    by_category: bool
    zone: ZoneInfo
    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    transfers: bool = True


@dataclass(frozen=True, slots=True)
class GroupSum:
    """``month`` is its first day; both it and ``category`` are None where not asked for."""

    currency: Currency
    month: date | None
    category: str | None
    sum: Sum


class Ledger(Protocol):
    """One owner's transactions, all together."""

    def sums(self, question: SumQuestion, *, most: int) -> list[GroupSum]:
        """By currency, month and category, in this order; what has no category comes last."""
        ...
