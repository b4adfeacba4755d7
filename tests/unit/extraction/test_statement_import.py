"""A confirmed mapping makes a draft of every row, the same one each time, or says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from atom_backend.domain.finance.ledger import TransactionDraft
from atom_backend.domain.finance.statements import (
    DateFormat,
    DebitSign,
    DecimalMark,
    RefusedRow,
    Role,
    StatementMapping,
)
from atom_backend.errors import InvalidInput
from atom_backend.extraction.statements.reader import CsvStatements
from tests.unit.extraction.bank_statements import (
    AMERICAN,
    BERLIN,
    BRITISH,
    COFFEE,
    DUTCH,
    GERMAN,
    GIRO,
    PLAIN,
    TEA,
    drafts,
    imported,
    mapping_of,
    preview,
)

MAPPING = mapping_of(PLAIN + COFFEE)


def refusal(row: str, mapping: StatementMapping = MAPPING, head: str = PLAIN) -> RefusedRow:
    """Why the only row is refused."""
    [refused] = imported(f"{head}{row}", mapping)
    assert isinstance(refused, RefusedRow)
    return refused


def test_a_row_becomes_a_draft() -> None:
    first, second = drafts(imported(GERMAN))
    assert first == TransactionDraft(
        account_id=GIRO.id,
        amount=Decimal("-1850.00"),
        posted_at=datetime(2026, 3, 14, 11, tzinfo=UTC),
        category="Wohnen",
        counterparty="Müller GmbH",
        description='Miete "März"; Küche',
        source="statement",
        external_id=first.external_id,
    )
    assert (str(second.amount), second.description, second.category) == ("12.50", None, None)


def test_a_day_is_the_same_day_in_every_zone_near_by() -> None:
    content = (PLAIN + COFFEE).encode()
    for name in ("America/New_York", "Asia/Tokyo", "Pacific/Auckland"):
        zone = ZoneInfo(name)
        [draft] = drafts(list(CsvStatements().rows(content, MAPPING, GIRO, zone)))
        assert draft.posted_at.astimezone(zone) == datetime(2026, 1, 13, 12, tzinfo=zone)


@pytest.mark.parametrize(
    ("statement", "amounts"),
    [(BRITISH, ["1200.00", "-12.50"]), (DUTCH, ["-12.34", "1200.00"])],
)
def test_what_was_paid_is_negative_however_the_bank_says_so(
    statement: str, amounts: list[str]
) -> None:
    assert [str(draft.amount) for draft in drafts(imported(statement))] == amounts


@pytest.mark.parametrize(
    ("sign", "amounts"),
    [(DebitSign.UNSIGNED, ["-5.00", "6.00"]), (DebitSign.SIGNED, ["5.00", "-6.00"])],
)
def test_a_minus_among_debits_means_what_was_chosen(sign: DebitSign, amounts: list[str]) -> None:
    statement = "Date,Debit,Credit\n2026-01-01,5,\n2026-01-02,-6,0\n"
    mapping = mapping_of(statement, debit_sign=sign)
    assert [str(draft.amount) for draft in drafts(imported(statement, mapping))] == amounts


@pytest.mark.parametrize(
    ("date_format", "moment"),
    [(DateFormat.DAY_FIRST, datetime(2026, 5, 1)), (DateFormat.MONTH_FIRST, datetime(2026, 1, 5))],
)
def test_the_chosen_format_of_dates_is_used(date_format: DateFormat, moment: datetime) -> None:
    mapping = mapping_of(AMERICAN, date_format=date_format)
    first, _ = drafts(imported(AMERICAN, mapping))
    assert first.posted_at.astimezone(BERLIN).date() == moment.date()
    assert first.external_id == "A1"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("13.01.2026,-4.50\n", "date: it is not written YYYY-MM-DD"),
        (",-4.50\n", "date: it is not written YYYY-MM-DD"),
        ("2026-01-13\n", "amount: there is none"),
        ('2026-01-13,"-4,50"\n', "amount: it is no amount in EUR with decimals after '.'"),
        ("2026-01-13,-4.505\n", "amount: it is no amount in EUR"),
        ("2026-01-13,1" + "0" * 30 + "\n", "amount: it is no amount in EUR"),
        ("2026-01-13,-4.50,Bar,co,ffee,food\n", "more cells than the header has names"),
        ("2026-01-13,-4.50," + "x" * 600 + "\n", "counterparty: at most 512 characters"),
        ('2026-01-13,-4.50,"a" b\n', "quotation marks do not match"),
        ('2026-01-13,-4.50,"a\n', "quotation marks do not match"),
        ("total,,,,5\n", "date: it is not written YYYY-MM-DD"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line(row: str, reason: str) -> None:
    refused = refusal(row)
    assert reason in refused.reason
    assert refused.line == 2


def test_the_other_rows_are_imported_and_lines_are_counted_through_quotes() -> None:
    rows = imported(PLAIN + '2026-01-13,-1,"a\nb",,\n\nfoo,-1,,,\n' + TEA, MAPPING)
    assert [type(row) for row in rows] == [TransactionDraft, RefusedRow, TransactionDraft]
    assert isinstance(rows[1], RefusedRow)
    assert (rows[1].line, rows[1].last_line) == (5, 5)


def test_a_quote_that_is_never_closed_says_how_far_it_reaches() -> None:
    refused = refusal('2026-01-13,-4.50,"a\n' + TEA + TEA)
    assert (refused.line, refused.last_line) == (2, 4)


@pytest.mark.parametrize(
    ("currency", "taken"), [("EUR", True), ("eur", True), ("€", True), ("", True), ("USD", False)]
)
def test_a_row_in_another_currency_is_refused(currency: str, taken: bool) -> None:
    head = "Date,Amount,Currency\n"
    mapping = mapping_of(f"{head}2026-01-13,-4.50,EUR\n")
    [row] = imported(f"{head}2026-01-13,-4.50,{currency}\n", mapping)
    assert isinstance(row, TransactionDraft) is taken


@pytest.mark.parametrize(
    ("head", "row", "reason"),
    [
        ("Date,Debit,Credit\n2026-01-01,1,\n", "2026-01-02,1,2\n", "a debit and a credit at once"),
        ("Date,Debit,Credit\n2026-01-01,1,\n", "2026-01-02,,\n", "amount: there is none"),
        ("Date,Amount,Dr/Cr\n2026-01-01,1,D\n", "2026-01-02,1,X\n", "direction:"),
        ("Date,Amount,Dr/Cr\n2026-01-01,1,D\n", "2026-01-02,-1,D\n", "direction:"),
    ],
)
def test_an_amount_whose_sign_is_in_doubt_is_refused(head: str, row: str, reason: str) -> None:
    mapping = mapping_of(head)
    refused = imported(head + row, mapping)[1]
    assert isinstance(refused, RefusedRow)
    assert reason in refused.reason


def test_a_mapping_serves_later_files_of_the_same_bank() -> None:
    longer = "Another line above;1\n" + GERMAN.split("\n", 1)[1].replace("14.03", "15.04")
    assert len(drafts(imported(longer, mapping_of(GERMAN)))) == 2


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"encoding": None}, "/encoding"),
        ({"delimiter": None}, "/delimiter"),
        ({"date_format": None}, "/date_format"),
        ({"decimal_mark": None}, "/decimal_mark"),
        ({"header": ()}, "/header"),
        ({"columns": {Role.AMOUNT: 1}}, "/columns/date"),
        ({"columns": {Role.DATE: 0}}, "/columns/amount"),
        ({"columns": {Role.DATE: 0, Role.DEBIT: 1}}, "/columns/amount"),
        ({"columns": {Role.DATE: 0, Role.AMOUNT: 0}}, "/columns"),
        ({"columns": {Role.DATE: 0, Role.AMOUNT: 9}}, "/columns/amount"),
        ({"columns": {Role.DATE: 0, Role.DEBIT: 1, Role.CREDIT: 2}}, "/debit_sign"),
    ],
)
def test_a_mapping_that_leaves_something_open_is_refused_before_the_first_row(
    changed: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        CsvStatements().rows(b"", replace(MAPPING, **changed), GIRO, BERLIN)  # type: ignore[arg-type]
    assert refused.value.code == "incomplete_mapping"
    assert pointer in {problem.pointer for problem in refused.value.problems}


def test_a_mapping_of_another_bank_is_refused_before_the_first_row() -> None:
    with pytest.raises(InvalidInput, match="names of columns") as refused:
        CsvStatements().rows(GERMAN.encode(), MAPPING, GIRO, BERLIN)
    assert refused.value.code == "not_a_statement"


def test_a_sample_is_what_the_import_gives() -> None:
    found = preview(GERMAN)
    assert list(found.sample) == imported(GERMAN, found.mapping)


def test_an_encoding_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        imported((PLAIN + "2026-01-13,-1,\xe9,,\n").encode("latin-1"), MAPPING)
    assert refused.value.code == "undecodable_text"


def test_the_decimal_mark_of_the_mapping_is_used() -> None:
    [draft] = drafts(imported(PLAIN + '2026-01-13,"1.230",,,\n', MAPPING))
    assert draft.amount == Decimal("1.23")
    mapping = replace(MAPPING, decimal_mark=DecimalMark.COMMA)
    [draft] = drafts(imported(PLAIN + '2026-01-13,"1.230",,,\n', mapping))
    assert draft.amount == 1230
