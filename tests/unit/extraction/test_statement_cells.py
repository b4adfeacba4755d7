"""A cell is a date or an amount under a format, exactly, or it is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.statements import DateFormat, DecimalMark
from atom_backend.extraction.statements.cells import (
    date_formats,
    names,
    read_amount,
    read_amounts,
    read_date,
)

EUR, JPY, KWD, USD = (CURRENCIES[code] for code in ("EUR", "JPY", "KWD", "USD"))
POINT, COMMA = DecimalMark.POINT, DecimalMark.COMMA


@pytest.mark.parametrize(
    ("cell", "mark", "amount"),
    [
        ("1234.56", POINT, "1234.56"),
        ("1,234.56", POINT, "1234.56"),
        ("12,34,567.80", POINT, "1234567.80"),
        ("1'234.50", POINT, "1234.50"),
        ("1.234.567,8", COMMA, "1234567.80"),
        ("1 234,56", COMMA, "1234.56"),
        ("1\u00a0234,56", COMMA, "1234.56"),
        ("1\u202f234,56", COMMA, "1234.56"),
        ("-12,5", COMMA, "-12.50"),
        ("12,50-", COMMA, "-12.50"),
        ("−12,50", COMMA, "-12.50"),
        ("+12.50", POINT, "12.50"),
        ("(12.50)", POINT, "-12.50"),
        ("12,50 €", COMMA, "12.50"),
        ("EUR -12,50", COMMA, "-12.50"),
        ("-€12.50", POINT, "-12.50"),
        (".5", POINT, "0.50"),
        ("007", POINT, "7.00"),
        ("12.5000", POINT, "12.50"),
        ("-0,00", COMMA, "0.00"),
        ("1.234", COMMA, "1234.00"),
    ],
)
def test_an_amount_is_read_as_banks_write_it(cell: str, mark: DecimalMark, amount: str) -> None:
    assert str(read_amount(cell, mark, EUR)) == amount


@pytest.mark.parametrize("mark", DecimalMark)
@pytest.mark.parametrize(
    "cell",
    [
        *("", "-", "abc", "1-2", "--1", "-1-", "(-1)", "1.2.3,4,5", "12.34.56", "1,23,4", "1e5"),
        *("$5", "5 USD", "١٢", "１", "½", "NaN", "1/2", "5.", "1  234.50.1", "0.001", "0,001"),
        *("1,234.5 6", "9" * 17, "1" * 65, "1 234'567", "50%", "1\x00", "\ud800"),
    ],
)
def test_what_is_no_amount_in_the_currency_is_not_one(cell: str, mark: DecimalMark) -> None:
    assert read_amount(cell, mark, EUR) is None


@pytest.mark.parametrize(
    ("cell", "code"), [("1 234,50 zł", "PLN"), ("R$ 1.234,50", "BRL"), ("kr -1.234,50", "DKK")]
)
def test_currencies_beyond_the_euro_have_their_symbols_too(cell: str, code: str) -> None:
    amount = read_amount(cell, COMMA, CURRENCIES[code])
    assert amount is not None
    assert abs(amount) == Decimal("1234.50")


def test_the_scale_of_the_currency_can_tell_thousands_from_decimals() -> None:
    assert read_amounts("1.234", EUR) == {COMMA: 1234}
    assert read_amounts("1.234", JPY) == {COMMA: 1234}
    assert read_amounts("1.234", KWD) == {POINT: Decimal("1.234"), COMMA: 1234}


@settings(deadline=None)
@given(st.integers(-(10**17), 10**17), st.sampled_from([(POINT, ","), (COMMA, "."), (COMMA, " ")]))
def test_any_amount_written_with_separators_is_read_back(
    cents: int, style: tuple[DecimalMark, str]
) -> None:
    mark, between = style
    plain = f"{Decimal(cents).scaleb(-2):,.2f}"
    cell = plain.translate({ord("."): mark.value, ord(","): between})
    assert read_amount(cell, mark, USD) == Decimal(cents).scaleb(-2)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_cell_is_too_odd_to_be_judged(cell: str) -> None:
    read_amounts(cell, EUR)
    date_formats(cell)


@pytest.mark.parametrize(
    ("text", "named"), [("EUR", True), ("€", True), ("$", False), ("USD", False), ("", False)]
)
def test_a_currency_is_named_by_its_code_or_symbol(text: str, named: bool) -> None:
    assert names(text, EUR) is named


@pytest.mark.parametrize(
    ("cell", "formats"),
    [
        ("2026-02-03", {DateFormat.ISO}),
        ("2026/2/3", {DateFormat.ISO_SLASHES}),
        ("20260203", {DateFormat.ISO_BASIC}),
        ("3.2.2026", {DateFormat.DAY_FIRST_POINTS}),
        ("03.02.26", {DateFormat.DAY_FIRST_POINTS_SHORT}),
        ("03/02/2026", {DateFormat.DAY_FIRST, DateFormat.MONTH_FIRST}),
        ("13/02/2026", {DateFormat.DAY_FIRST}),
        ("02/13/2026", {DateFormat.MONTH_FIRST}),
        ("13/02/26", {DateFormat.DAY_FIRST_SHORT}),
        ("02/13/26", {DateFormat.MONTH_FIRST_SHORT}),
        ("13-02-2026", {DateFormat.DAY_FIRST_DASHES}),
        ("02-13-2026", {DateFormat.MONTH_FIRST_DASHES}),
    ],
)
def test_a_date_is_told_by_its_separators_and_by_what_months_there_are(
    cell: str, formats: set[DateFormat]
) -> None:
    assert set(date_formats(cell)) == formats
    assert {read_date(cell, one) for one in formats} >= {datetime(2026, 2, 3, 12)} or "13" in cell


@pytest.mark.parametrize(
    "cell",
    [
        *("", "today", "2026-02-30", "2026-13-01", "00.01.2026", "1/1/1800", "9999-01-01", "2026"),
        *("2026-02-03 25:00", "2026-02-03T1:2", "٢٠٢٦-٠٢-٠٣", "2026-02-03x", "1" * 100, "2026--03"),
        *("2026-02-03T10:00+99:00", "3 Feb 2026", "2026.02.03", "2026-02-03\x00"),
    ],
)
def test_what_is_no_date_is_not_one(cell: str) -> None:
    assert date_formats(cell) == ()


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-02-03", datetime(2026, 2, 3, 12)),
        ("2026-02-03 17:05", datetime(2026, 2, 3, 17, 5)),
        ("2026-02-03T17:05:09.123", datetime(2026, 2, 3, 17, 5, 9)),
        ("2026-02-03T17:05:09Z", datetime(2026, 2, 3, 17, 5, 9, tzinfo=UTC)),
        ("2026-02-03T17:05:09-0130", datetime(2026, 2, 3, 18, 35, 9, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_is_read_and_a_day_without_one_stands_at_noon(
    cell: str, moment: datetime
) -> None:
    assert read_date(cell, DateFormat.ISO) == moment
