"""A transaction is named by what its row says, so that no import doubles it."""

from __future__ import annotations

from uuid import UUID

import pytest

from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import DateFormat, RefusedRow
from atom_backend.extraction.statements.reader import CsvStatements
from tests.unit.extraction.bank_statements import (
    AMERICAN,
    BERLIN,
    COFFEE,
    GIRO,
    PLAIN,
    TEA,
    drafts,
    imported,
    mapping_of,
)

MAPPING = mapping_of(PLAIN + COFFEE)


def identifiers(statement: str) -> list[str | None]:
    return [draft.external_id for draft in drafts(imported(statement, MAPPING))]


def test_the_same_file_again_names_the_same_transactions() -> None:
    statement = PLAIN + COFFEE + COFFEE + TEA
    assert identifiers(statement) == identifiers(statement)


def test_equal_rows_are_different_transactions() -> None:
    names = identifiers(PLAIN + COFFEE + TEA + COFFEE + COFFEE)
    assert len(set(names)) == 4


def test_statements_that_overlap_name_the_common_days_alike() -> None:
    january = identifiers(PLAIN + TEA.replace("14", "12") + COFFEE + COFFEE)
    later = identifiers(PLAIN + COFFEE + COFFEE + TEA)
    assert january[1:] == later[:2]
    assert january[0] not in later


@pytest.mark.parametrize(
    "other",
    [
        COFFEE.replace("13", "14"),
        COFFEE.replace("-4.50", "-4.51"),
        COFFEE.replace("-4.50", "4.50"),
        COFFEE.replace("Bar", "Pub"),
        COFFEE.replace("coffee", "tea"),
        "2026-01-13,-4.50,Bar coffee,,food\n",
        "2026-01-13,-4.50,,Bar coffee,food\n",
    ],
)
def test_rows_that_differ_are_named_differently(other: str) -> None:
    assert identifiers(PLAIN + COFFEE) != identifiers(PLAIN + other)


@pytest.mark.parametrize(
    "other",
    [
        COFFEE.replace("food", "drinks"),
        COFFEE.replace("coffee", '"  coffee "'),
        COFFEE.replace("-4.50", "-4.5"),
    ],
)
def test_rows_that_say_the_same_are_named_alike(other: str) -> None:
    assert identifiers(PLAIN + COFFEE) == identifiers(PLAIN + other)


def test_accents_and_encodings_play_no_part_in_names() -> None:
    row = "2026-01-13,-4.50,Café,,\n"
    assert identifiers(PLAIN + row) == identifiers(PLAIN + row.replace("é", "e\u0301"))


def test_accounts_do_not_share_names() -> None:
    content = (PLAIN + COFFEE).encode()
    other = LedgerAccount(UUID(int=2), GIRO.currency)
    [draft] = drafts(list(CsvStatements().rows(content, MAPPING, other, BERLIN)))
    assert draft.external_id not in identifiers(PLAIN + COFFEE)


def test_an_identifier_of_the_bank_that_comes_twice_is_refused_the_second_time() -> None:
    mapping = mapping_of(AMERICAN, date_format=DateFormat.MONTH_FIRST)
    first, second = imported(AMERICAN.replace("A2", "A1"), mapping)
    assert isinstance(first, TransactionDraft)
    assert second == RefusedRow(3, 3, "external_id: it is that of line 2")


def test_a_row_without_the_banks_identifier_gets_one() -> None:
    mapping = mapping_of(AMERICAN, date_format=DateFormat.MONTH_FIRST)
    _, second = drafts(imported(AMERICAN.replace("A2", ""), mapping))
    assert str(second.external_id).startswith("row-")
