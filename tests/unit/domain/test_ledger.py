"""Drafts of transactions: what may be stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import (
    LedgerAccount,
    TransactionDraft,
    checked,
)
from atom_backend.errors import InvalidInput

EUR = CURRENCIES["EUR"]
GIRO = LedgerAccount(UUID(int=1), EUR)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRAFT = TransactionDraft(GIRO.id, Decimal("-1.5"), NOON)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (replace(DRAFT, amount=Decimal("1E+30")), "/amount"),
        (replace(DRAFT, posted_at=NOON.replace(tzinfo=None)), "/posted_at"),
        (replace(DRAFT, posted_at=datetime(1, 1, 1, tzinfo=UTC)), "/posted_at"),
        (replace(DRAFT, posted_at=datetime(9999, 12, 31, tzinfo=UTC)), "/posted_at"),
        (replace(DRAFT, category=" "), "/category"),
        (replace(DRAFT, counterparty="x" * 513), "/counterparty"),
        (replace(DRAFT, description="a\x00b"), "/description"),
        (replace(DRAFT, external_id="\ud800"), "/external_id"),
        (replace(DRAFT, source=""), "/source"),
    ],
)
def test_what_could_not_be_stored_is_refused_by_its_name(
    wrong: TransactionDraft, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(wrong, EUR)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = replace(DRAFT, amount=Decimal("0.001"), category="", description="\x00")
    with pytest.raises(InvalidInput) as refused:
        checked(wrong, EUR)
    assert {one.pointer for one in refused.value.problems} == {
        *("/amount", "/category", "/description")
    }


def test_a_draft_that_is_right_gets_the_scale_of_its_currency() -> None:
    assert str(checked(DRAFT, EUR).amount) == "-1.50"
