"""Transfers: what the two sides are, and which are not possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import LedgerAccount
from atom_backend.domain.finance.transfers import Transfer, sides
from atom_backend.errors import InvalidInput

GIRO = LedgerAccount(UUID(int=1), CURRENCIES["EUR"])
SAVINGS = LedgerAccount(UUID(int=2), CURRENCIES["EUR"])
YEN = LedgerAccount(UUID(int=3), CURRENCIES["JPY"])
ONE = UUID(int=9)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRANSFER = Transfer(GIRO.id, SAVINGS.id, Decimal("12.5"), NOON, description="Rest")


@pytest.mark.parametrize("to_amount", [None, Decimal("12.50")])
def test_the_sides_of_a_transfer_cancel_each_other_out(to_amount: Decimal | None) -> None:
    given = replace(TRANSFER, to_amount=to_amount)
    leaving, reaching = sides(given, GIRO, SAVINGS, transfer_id=ONE)
    assert (leaving.account_id, reaching.account_id) == (GIRO.id, SAVINGS.id)
    assert (str(leaving.amount), str(reaching.amount)) == ("-12.50", "12.50")
    assert leaving.transfer_id == reaching.transfer_id == ONE
    assert replace(leaving, account_id=SAVINGS.id, amount=reaching.amount) == reaching


def test_between_two_currencies_each_side_has_an_amount_of_its_own() -> None:
    given = replace(TRANSFER, to_amount=Decimal("2000"))
    leaving, reaching = sides(given, GIRO, YEN, transfer_id=ONE)
    assert (str(leaving.amount), str(reaching.amount)) == ("-12.50", "2000")


@pytest.mark.parametrize(
    ("changes", "origin", "destination", "pointer"),
    [
        ({}, GIRO, GIRO, "/to_account_id"),
        ({}, GIRO, YEN, "/to_amount"),
        ({"amount": Decimal(0)}, GIRO, SAVINGS, "/amount"),
        ({"amount": Decimal(-1)}, GIRO, SAVINGS, "/amount"),
        ({"amount": Decimal("0.001")}, GIRO, SAVINGS, "/amount"),
        ({"amount": Decimal("1E+30")}, GIRO, SAVINGS, "/amount"),
        ({"to_amount": Decimal(13)}, GIRO, SAVINGS, "/to_amount"),
        ({"to_amount": Decimal(0)}, GIRO, YEN, "/to_amount"),
        ({"to_amount": Decimal("0.5")}, GIRO, YEN, "/to_amount"),
        ({"posted_at": datetime(1, 1, 1, tzinfo=UTC)}, GIRO, SAVINGS, "/posted_at"),
    ],
)
def test_an_impossible_transfer_is_refused(
    changes: dict[str, Any], origin: LedgerAccount, destination: LedgerAccount, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        sides(replace(TRANSFER, **changes), origin, destination, transfer_id=ONE)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
