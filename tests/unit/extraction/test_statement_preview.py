"""A preview says how a statement would be read, and asks wherever the file does not say."""

from __future__ import annotations

import pytest

from atom_backend.domain.finance.ledger import TransactionDraft
from atom_backend.domain.finance.statements import (
    DateFormat,
    DebitSign,
    DecimalMark,
    Delimiter,
    Role,
)
from atom_backend.errors import InvalidInput
from tests.unit.extraction.bank_statements import AMERICAN, BRITISH, DUTCH, GERMAN, asked, preview


def test_a_german_statement_below_its_preamble_leaves_nothing_to_ask() -> None:
    found = preview(GERMAN)
    assert found.questions == ()
    assert found.mapping.delimiter is Delimiter.SEMICOLON
    assert found.mapping.date_format is DateFormat.DAY_FIRST_POINTS
    assert found.mapping.decimal_mark is DecimalMark.COMMA
    assert found.mapping.columns == {
        Role.DATE: 0,
        Role.COUNTERPARTY: 2,
        Role.DESCRIPTION: 3,
        Role.AMOUNT: 4,
        Role.CATEGORY: 5,
    }
    assert any("Wertstellung" in note for note in found.notes)
    assert (found.rows, len(found.sample), found.cells[0][2]) == (2, 2, "Müller GmbH")


def test_debits_and_credits_may_have_a_column_each() -> None:
    found = preview(BRITISH)
    assert found.questions == ()
    assert found.mapping.columns == {
        Role.DATE: 0,
        Role.DESCRIPTION: 2,
        Role.DEBIT: 3,
        Role.CREDIT: 4,
    }
    assert found.mapping.debit_sign is DebitSign.UNSIGNED


def test_a_month_without_income_still_has_its_column() -> None:
    found = preview("Date,Debit,Credit\n13/01/2026,5.00,\n")
    assert found.questions == ()
    assert {Role.DEBIT, Role.CREDIT} <= found.mapping.columns.keys()


def test_a_column_may_say_whether_an_amount_came_or_went() -> None:
    found = preview(DUTCH)
    assert found.questions == ()
    assert found.mapping.columns[Role.DIRECTION] == 2
    assert found.mapping.date_format is DateFormat.ISO_BASIC


def test_days_that_could_be_months_are_asked_for_and_nothing_is_imported_before() -> None:
    found = preview(AMERICAN)
    assert asked(found) == {"date_format": ("DD/MM/YYYY", "MM/DD/YYYY")}
    assert found.mapping.date_format is None
    assert found.sample == ()
    assert found.cells[0] == ("A1", "01/05/2026", "COFFEE", "-4.50")


def test_an_answer_is_taken_and_shown_in_the_sample() -> None:
    found = preview(AMERICAN, date_format=DateFormat.MONTH_FIRST)
    assert found.questions == ()
    months = [row.posted_at.month for row in found.sample if isinstance(row, TransactionDraft)]
    assert months == [1, 1]


def test_one_day_beyond_the_twelfth_anywhere_in_the_file_decides() -> None:
    rows = "".join(f"0{day % 9 + 1}/02/2026,-1.00\n" for day in range(2_000))
    assert "date_format" in asked(preview(f"Date,Amount\n{rows}"))
    found = preview(f"Date,Amount\n{rows}13/02/2026,-1.00\n")
    assert found.mapping.date_format is DateFormat.DAY_FIRST


def test_dates_that_no_one_format_reads_are_asked_for() -> None:
    found = preview("Date,Amount\n13/02/2026,-1.00\n02/13/2026,-1.00\n")
    assert asked(found) == {"date_format": ("DD/MM/YYYY", "MM/DD/YYYY")}


@pytest.mark.parametrize(
    ("amounts", "mark"),
    [
        (["-1.234,5", "7"], DecimalMark.COMMA),
        (["-1,234.5", "7"], DecimalMark.POINT),
        (["-1.234", "2,50"], DecimalMark.COMMA),
        (["-1", "7"], DecimalMark.POINT),
        (["-1.234", "7"], DecimalMark.COMMA),  # euros have no thousandths
    ],
)
def test_the_decimal_mark_is_told_by_all_amounts(amounts: list[str], mark: DecimalMark) -> None:
    rows = "".join(f"13.01.2026;{amount}\n" for amount in amounts)
    assert preview(f"Datum;Betrag\n{rows}").mapping.decimal_mark is mark


@pytest.mark.parametrize("amounts", [["-1.230", "7"], ["-1.50", "2,50"]])
def test_a_decimal_mark_that_could_be_either_is_asked_for(amounts: list[str]) -> None:
    rows = "".join(f"13.01.2026;{amount}\n" for amount in amounts)
    found = preview(f"Datum;Betrag\n{rows}")
    assert asked(found) == {"decimal_mark": (".", ",")}
    assert found.mapping.decimal_mark is None


@pytest.mark.parametrize(
    ("debits", "sign"),
    [(["5", "6"], DebitSign.UNSIGNED), (["-5", "-6"], DebitSign.SIGNED), (["5", "-6"], None)],
)
def test_how_debits_are_signed_is_told_or_asked(debits: list[str], sign: DebitSign | None) -> None:
    rows = "".join(f"2026-01-01,{debit},\n" for debit in debits)
    found = preview(f"Date,Debit,Credit\n{rows}")
    assert found.mapping.debit_sign is sign
    assert ("debit_sign" in asked(found)) is (sign is None)


@pytest.mark.parametrize(
    ("statement", "about", "choices"),
    [
        ("Date,Amount,Amount\n2026-01-01,-1,2\n", "amount", ("1", "2")),
        ("Day,Sum\n2026-01-01,-1\n", "date", ("0",)),
        ("Date,Sum,Saldo\n2026-01-01,-1,5\n", "amount", ("1", "2")),
        ("Date,Debit\n2026-01-01,5\n", "amount", ("1",)),
        ("Date,Amount,Debit,Credit\n2026-01-01,-1,1,\n", "amount", ("1", "2")),
        ("Date,Amount,Kind\n2026-01-01,1,D\n2026-01-02,2,C\n", "direction", ("2",)),
        ("Date,Amount,Payee,Payer\n2026-01-01,-1,Ann,Bob\n", "counterparty", ("2", "3")),
    ],
)
def test_a_column_that_cannot_be_told_is_asked_for(
    statement: str, about: str, choices: tuple[str, ...]
) -> None:
    found = preview(statement)
    assert asked(found)[about] == choices
    assert Role(about) not in found.mapping.columns
    assert found.sample == ()


def test_columns_that_were_chosen_are_taken_whatever_they_are_called() -> None:
    statement = "Day,Sum,Rest\n13.01.2026,-1.50,foo\n"
    found = preview(statement, columns={Role.DATE: 0, Role.AMOUNT: 1, Role.DESCRIPTION: 2})
    assert found.questions == ()
    assert found.mapping.date_format is DateFormat.DAY_FIRST_POINTS
    assert len(found.sample) == 1


@pytest.mark.parametrize("place", [-1, 4, 10**9])
def test_a_column_that_is_not_there_is_refused(place: int) -> None:
    with pytest.raises(InvalidInput, match="columns/amount"):
        preview(AMERICAN, columns={Role.DATE: 1, Role.AMOUNT: place})


def test_a_choice_of_columns_that_makes_no_amount_is_asked_about_again() -> None:
    found = preview(AMERICAN, columns={Role.DATE: 1, Role.DEBIT: 3})
    assert asked(found).keys() == {"amount", "date_format"}


def test_amounts_that_are_all_positive_are_pointed_out() -> None:
    found = preview("Date,Amount\n2026-01-13,5.00\n")
    assert "no amount has a minus: every row would be income" in found.notes


def test_identifiers_that_repeat_are_none() -> None:
    found = preview("Date,Amount,Reference\n2026-01-13,-5.00,NONE\n2026-01-14,-6.00,NONE\n")
    assert Role.EXTERNAL_ID not in found.mapping.columns
    assert any("repeat" in note for note in found.notes)
