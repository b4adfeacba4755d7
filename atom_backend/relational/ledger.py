"""Sums over one owner's transactions (role ``atom_app``), made by PostgreSQL.

Invariant: amounts are added as ``numeric``, which is exact, and only within one currency.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import Sum
from atom_backend.domain.finance.sums import GroupSum, SumQuestion
from atom_backend.relational.resource_tables import TABLES

_ROWS = TABLES["transactions"].c


class PostgresLedger:
    """The transactions of the transaction's owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sums(self, question: SumQuestion, *, most: int) -> list[GroupSum]:
        rows = self._connection.execute(_summing(question).limit(most))
        return [
            GroupSum(
                CURRENCIES[row.currency],
                row.month,
                row.category,
                Sum(row.number, row.income, row.expenses),
            )
            for row in rows
        ]


def _summing(question: SumQuestion) -> sa.Select[Any]:
    local = sa.func.timezone(question.zone.key, _ROWS.posted_at)
    month = sa.cast(sa.func.date_trunc("month", local), sa.Date)
    told_apart = sa.select(
        _ROWS.currency,
        (month if question.by_month else sa.cast(None, sa.Date)).label("month"),
        (_ROWS.category if question.by_category else sa.cast(None, sa.Text)).label("category"),
        _ROWS.amount,
    )
    rows = told_apart.where(*_conditions(question)).subquery().c
    groups = (rows.currency, rows.month, rows.category)
    income = sa.func.sum(rows.amount).filter(rows.amount > 0)
    expenses = sa.func.sum(rows.amount).filter(rows.amount <= 0)
    return (
        sa.select(
            *groups,
            sa.func.count().label("number"),
            sa.func.coalesce(income, 0).label("income"),
            sa.func.coalesce(expenses, 0).label("expenses"),
        )
        .group_by(*groups)
        .order_by(*groups)
    )


def _conditions(question: SumQuestion) -> list[sa.ColumnElement[bool]]:
    found = []
    if question.account_id is not None:
        found.append(_ROWS.account_id == question.account_id)
    if question.since is not None:
        found.append(_ROWS.posted_at >= question.since)
    if question.until is not None:
        found.append(_ROWS.posted_at < question.until)
    if not question.transfers:
        found.append(_ROWS.transfer_id.is_(None))
    return found
