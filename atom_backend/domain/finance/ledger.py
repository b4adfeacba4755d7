"""Transactions of an account before they are stored, and what some of them add up to.

Amounts are signed: what comes in is positive, what goes out negative. An account has one currency
and its transactions have no other.
Invariant: a draft that was checked can be stored; sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from atom_backend.domain.finance import money
from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.limits import NAME_CHARS, TAG_CHARS, unstorable
from atom_backend.errors import FieldProblem, InvalidInput

DESCRIPTION_CHARS = 4_000
FIRST_YEAR, LAST_YEAR = 1900, 9998
"""Beyond these, a date is a slip of the pen; at the ends of the calendar no zone can be told."""

_TEXTS = {
    "category": TAG_CHARS,
    "counterparty": NAME_CHARS,
    "description": DESCRIPTION_CHARS,
    "source": NAME_CHARS,
    "external_id": NAME_CHARS,
}

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """What the ledger needs to know of an account."""

    id: UUID
    currency: Currency


@dataclass(frozen=True, slots=True)
class TransactionDraft:
    """A transaction as it was given. ``transfer_id`` is shared by the two sides of a transfer."""

    account_id: UUID
    amount: Decimal
    posted_at: datetime
    category: str | None = None
    counterparty: str | None = None
    description: str | None = None
    source: str | None = None
    external_id: str | None = None
    transfer_id: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sum:
    """Some transactions of one currency added up: ``net`` is ``income`` plus ``expenses``."""

    count: int
    income: Decimal
    expenses: Decimal

    @property
    def net(self) -> Decimal:
        return money.total((self.income, self.expenses))


def checked(draft: TransactionDraft, currency: Currency) -> TransactionDraft:
    """The draft with the scale of its currency; its metadata is checked where it is read.

    Raises InvalidInput with a problem for every field that is wrong.
    """
    problems = [FieldProblem(f"/{name}", detail) for name, detail in _problems(draft)]
    try:
        draft = replace(draft, amount=money.in_currency(draft.amount, currency))
    except InvalidInput as error:
        problems.extend(error.problems)
    if problems:
        detail = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in problems)
        raise InvalidInput(f"The transaction is not valid: {detail}.", problems=problems)
    return draft


def _problems(draft: TransactionDraft) -> Iterator[tuple[str, str]]:
    if draft.posted_at.utcoffset() is None:
        yield "posted_at", "must have an offset from UTC"
    if not FIRST_YEAR <= draft.posted_at.year <= LAST_YEAR:
        yield "posted_at", f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}"
    for name, longest in _TEXTS.items():
        value = getattr(draft, name)
        problem = None if value is None else _text_problem(value, longest)
        if problem is not None:
            yield name, problem


def _text_problem(value: str, longest: int) -> str | None:
    if not value.strip():
        return "must not be blank"
    if len(value) > longest:
        return f"at most {longest} characters"
    return unstorable(value)
