"""Amounts are exact: what goes in comes out, and what cannot be kept exactly is refused."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.finance import money
from atom_backend.domain.finance.currencies import CURRENCIES, Currency, currency
from atom_backend.errors import InvalidInput, StoredDataError

EUR, JPY, KWD, CLF = (CURRENCIES[code] for code in ("EUR", "JPY", "KWD", "CLF"))


@st.composite
def amounts(draw: st.DrawFn) -> tuple[Decimal, Currency]:
    """Any amount that can be kept, with its currency."""
    kept_in = draw(st.sampled_from(sorted(CURRENCIES.values(), key=lambda one: one.code)))
    largest = 10 ** (money.INTEGER_DIGITS + kept_in.minor_units) - 1
    units = draw(st.integers(-largest, largest))
    return Decimal(units).scaleb(-kept_in.minor_units), kept_in


@settings(deadline=None)
@given(amounts())
def test_an_amount_written_down_is_read_back(drawn: tuple[Decimal, Currency]) -> None:
    amount, kept_in = drawn
    written = money.text(amount, kept_in)
    assert money.in_currency(money.parse(written), kept_in) == amount
    assert money.text(money.parse(written), kept_in) == written


@settings(deadline=None)
@given(st.lists(st.integers(-(10**20) + 1, 10**20 - 1), max_size=50))
def test_a_sum_is_exact_whatever_the_calling_thread_rounds_to(units: list[int]) -> None:
    exact = Decimal(sum(units)).scaleb(-4)
    with localcontext(prec=3):
        assert money.total(Decimal((one < 0, _digits(one), -4)) for one in units) == exact


def _digits(number: int) -> tuple[int, ...]:
    return tuple(int(digit) for digit in str(abs(number)))


@settings(deadline=None)
@given(amounts())
def test_an_amount_and_its_negation_cancel_each_other_out(drawn: tuple[Decimal, Currency]) -> None:
    amount, kept_in = drawn
    with localcontext(prec=3):
        assert money.total((amount, money.negated(amount))) == 0
    assert money.text(money.negated(money.negated(amount)), kept_in) == money.text(amount, kept_in)


@pytest.mark.parametrize(
    ("amount", "kept_in", "written"),
    [
        ("-12.5", EUR, "-12.50"),
        ("0", EUR, "0.00"),
        ("1234", JPY, "1234"),
        ("0.001", KWD, "0.001"),
        ("0.0001", CLF, "0.0001"),
        ("9999999999999999.99", EUR, "9999999999999999.99"),
    ],
)
def test_an_amount_has_the_scale_of_its_currency(
    amount: str, kept_in: Currency, written: str
) -> None:
    assert money.text(money.parse(amount), kept_in) == written


def test_an_amount_keeps_its_digits_whatever_the_calling_thread_rounds_to() -> None:
    with localcontext(prec=2):
        kept = money.in_currency(money.parse("9999999999999999.99"), EUR)
    assert str(kept) == "9999999999999999.99"


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "-", ".", "1.", ".5", "01", "00.10", "1,00", "1,000.00", "1 000", "1_000"),
        *("+1", "--1", "-0", "-0.0", "-0.00", "1e5", "1E-2", "0x10", "NaN", "Infinity", "-Inf"),
        *(" 1", "1 ", "1\n", "\t1", "1\x00", "١٢", "１２", "½", "−1", "1.00001", "$1", "1/2"),
        *("10000000000000000", "1" + "0" * 30, "-1" + "0" * 30, "9" * 100_000),
    ],
)
def test_what_is_not_a_plain_decimal_number_in_bounds_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="decimal number as text") as refused:
        money.parse(written, pointer="/price")
    assert refused.value.code == "invalid_amount"
    assert [problem.pointer for problem in refused.value.problems] == ["/price"]
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("amount", "kept_in"), [("1.0", JPY), ("1.000", JPY), ("0.001", EUR), ("1.2345", KWD)]
)
def test_more_decimal_places_than_the_currency_has_are_refused(
    amount: str, kept_in: Currency
) -> None:
    with pytest.raises(InvalidInput, match=f"{kept_in.minor_units} decimal places"):
        money.in_currency(money.parse(amount), kept_in)


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+30", "1E+16", "-1E+16"]
)
def test_no_odd_decimal_becomes_an_amount(amount: str) -> None:
    with pytest.raises(InvalidInput):
        money.in_currency(Decimal(amount), EUR)


def test_minus_zero_becomes_zero() -> None:
    assert money.text(Decimal("-0.00"), EUR) == "0.00"
    assert str(money.in_currency(Decimal("-0"), EUR)) == "0.00"


def test_a_stored_amount_loses_the_zeros_that_its_column_added_and_nothing_else() -> None:
    assert money.text(Decimal("12.5000"), EUR) == "12.50"
    with pytest.raises(StoredDataError):
        money.text(Decimal("12.5050"), EUR)


def test_a_sum_may_be_larger_than_any_amount() -> None:
    assert money.text(money.total([Decimal("9999999999999999.99")] * 2), EUR) == (
        "19999999999999999.98"
    )


@pytest.mark.parametrize(
    ("code", "minor_units"), [("JPY", 0), ("USD", 2), ("KWD", 3), ("CLF", 4), ("BGN", 2)]
)
def test_a_currency_knows_its_minor_unit(code: str, minor_units: int) -> None:
    assert currency(code).minor_units == minor_units


def test_the_list_of_currencies_is_complete_and_without_repetitions() -> None:
    counts = [sum(one.minor_units == places for one in CURRENCIES.values()) for places in range(5)]
    assert counts == [17, 0, 139 + 6, 7, 2]
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XAU", "XXX", "XTS", "BTC", "€", "EUR\n"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="ISO 4217") as refused:
        currency(code)
    assert refused.value.code == "unknown_currency"
