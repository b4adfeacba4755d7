"""Exact amounts of money: from text, to text, and added up.

In JSON an amount is a string such as "-12.50", because a JSON number may become a float on its
way. In Python it is a ``Decimal`` that is only ever computed with in ``_EXACT``, a context that
raises where digits would be lost, whatever context the calling thread has.
Invariant: what ``parse`` gives fits PostgreSQL's numeric(20, 4), the scale of the currency with
the most minor units, and ``parse(text(amount, currency))`` is ``amount``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from atom_backend.domain.finance.currencies import Currency
from atom_backend.errors import FieldProblem, InvalidInput, StoredDataError

INTEGER_DIGITS = 16
DECIMAL_PLACES = 4
PATTERN = (
    rf"^(?!-0(\.0*)?$)-?(0|[1-9][0-9]{{0,{INTEGER_DIGITS - 1}}})(\.[0-9]{{1,{DECIMAL_PLACES}}})?$"
)
"""The text of an amount, for JSON Schema too. Minus zero is not one: it is 0, written twice."""

TOTAL_PATTERN = rf"^-?(0|[1-9][0-9]*)(\.[0-9]{{1,{DECIMAL_PLACES}}})?$"
"""The text of a sum, which may have more digits than an amount."""

_AMOUNT = re.compile(PATTERN.removesuffix("$"))
_TOO_LARGE = Decimal(10**INTEGER_DIGITS)
_LONGEST_SUM = 60
"""Digits: room for more amounts than any store holds."""

_EXACT = Context(
    prec=_LONGEST_SUM, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero], clamp=0
)
_NOT_AN_AMOUNT = (
    f"must be a decimal number as text, such as '-12.50': at most {INTEGER_DIGITS} digits before "
    f"the point and {DECIMAL_PLACES} after it, no exponent, no separators, no plus sign"
)


def parse(amount: str, *, pointer: str = "/amount") -> Decimal:
    """The amount, with as many decimal places as were written.

    Raises InvalidInput ``invalid_amount``.
    """
    if not _AMOUNT.fullmatch(amount):
        raise _invalid(pointer, _NOT_AN_AMOUNT)
    return Decimal(amount)


def in_currency(amount: Decimal, currency: Currency, *, pointer: str = "/amount") -> Decimal:
    """The amount with the decimal places of its currency.

    More places are refused even where they are zeros: "1.000" yen may have been meant as a
    thousand. Raises InvalidInput ``invalid_amount``.
    """
    places, exponent = currency.minor_units, amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > places:
        raise _invalid(pointer, f"must have at most {places} decimal places in {currency.code}")
    if amount.copy_abs() >= _TOO_LARGE:
        raise _invalid(pointer, _NOT_AN_AMOUNT)
    return _scaled(amount, currency)


def text(amount: Decimal, currency: Currency) -> str:
    """The canonical form: the decimal places of the currency, no sign before zero.

    A sum may have more digits before the point than an amount. Raises StoredDataError for what
    that currency cannot hold, such as a tenth of a yen.
    """
    try:
        return f"{_scaled(amount, currency):f}"
    except (Inexact, InvalidOperation) as error:
        raise StoredDataError(
            f"An amount in {currency.code} has a part of a minor unit."
        ) from error


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; 0 of nothing."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def negated(amount: Decimal) -> Decimal:
    """The same amount the other way; zero stays without a sign."""
    return _EXACT.minus(amount)


def _scaled(amount: Decimal, currency: Currency) -> Decimal:
    unit = Decimal((0, (1,), -currency.minor_units))
    return _EXACT.plus(_EXACT.quantize(amount, unit))


def _invalid(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(
        f"The amount {detail}.", code="invalid_amount", problems=[FieldProblem(pointer, detail)]
    )
