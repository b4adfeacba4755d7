"""Drafts of transactions: what may be stored, and what they add up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.finance import money
from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import (
    LedgerAccount,
    TransactionDraft,
    checked,
    sums_by_category,
    sums_by_month,
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


def test_a_month_begins_when_it_begins_in_the_zone() -> None:
    new_year_in_berlin = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    drafts = [replace(DRAFT, posted_at=new_year_in_berlin)]
    assert list(sums_by_month(drafts, ZoneInfo("Europe/Berlin"))) == [date(2026, 1, 1)]
    assert list(sums_by_month(drafts, ZoneInfo("America/New_York"))) == [date(2025, 12, 1)]


def test_sums_tell_income_from_expenses() -> None:
    drafts = [replace(DRAFT, amount=Decimal(amount)) for amount in ("0.10", "0.20", "-0.30", "-5")]
    sums = sums_by_month(drafts, ZoneInfo("UTC"))[date(2026, 3, 1)]
    assert (sums.count, sums.income, sums.expenses) == (4, Decimal("0.30"), Decimal("-5.30"))
    assert sums.net == Decimal("-5.00")


def test_sums_by_category_keep_what_has_none() -> None:
    drafts = [replace(DRAFT, category=name) for name in ("food", None, "food")]
    counts = {name: sums.count for name, sums in sums_by_category(drafts).items()}
    assert counts == {"food": 2, None: 1}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(10**18), 10**18),
            st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1900 <= moment.year <= 9998),
        )
    )
)
def test_no_cent_is_lost_between_drafts_and_their_sums(
    postings: list[tuple[int, datetime]],
) -> None:
    drafts = [
        replace(DRAFT, amount=Decimal(cents).scaleb(-2), posted_at=moment)
        for cents, moment in postings
    ]
    sums = sums_by_month(drafts, ZoneInfo("Pacific/Apia")).values()
    assert money.total(one.net for one in sums) == Decimal(sum(c for c, _ in postings)).scaleb(-2)
    assert sum(one.count for one in sums) == len(postings)
