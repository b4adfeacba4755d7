"""Reads one cell as a date or as an amount, under a given format.

Whether a cell can be read is all that the formats are told apart by, so each is strict: a group of
thousands has three digits, a separator does not change within a number.
Invariant: a number is read exactly or not at all.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from atom_backend.domain.finance import money
from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.finance.ledger import FIRST_YEAR, LAST_YEAR
from atom_backend.domain.finance.statements import DateFormat, DecimalMark
from atom_backend.errors import InvalidInput

LONGEST = 64
"""Characters of a cell that can be a date or an amount; it bounds what the expressions do."""

NOON = time(12)
"""Where a date without a time of day stands: no zone near by sees it in another month."""

_CLOCK = (
    r"(?:(?:T|,? )(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<offset>Z|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2}))?)?"
)


def _expression(date_format: DateFormat) -> re.Pattern[str]:
    short = "{2}" if date_format is DateFormat.ISO_BASIC else "{1,2}"
    shape = re.escape(date_format.value)
    for part, name, digits in (
        *(("YYYY", "year", "{4}"), ("YY", "year", "{2}")),
        *(("MM", "month", short), ("DD", "day", short)),
    ):
        shape = shape.replace(part, f"(?P<{name}>[0-9]{digits})", 1)
    return re.compile(shape + _CLOCK)


_DATES = {date_format: _expression(date_format) for date_format in DateFormat}

_FIRST_DIGITS = re.compile(r"[0-9]{1,8}([-./]?)")
_BY_SEPARATOR = {
    separator: tuple(one for one in DateFormat if separator == one.strip("DMY")[:1])
    for separator in ("-", ".", "/", "")
}

_SPACES = "'’ \u00a0\u2009\u202f"
_NUMBERS = {
    mark: re.compile(
        rf"(?P<whole>[0-9]+|[1-9][0-9]{{0,2}}(?P<between>[{other}{_SPACES}])[0-9]{{3}}"
        rf"(?:(?P=between)[0-9]{{3}})*|[1-9][0-9]?(?:{other}[0-9]{{2}})+{other}[0-9]{{3}})?"
        rf"(?:{re.escape(mark)}(?P<part>[0-9]+))?"
    )
    for mark, other in ((DecimalMark.POINT, ","), (DecimalMark.COMMA, r"\."))
}
_UNIT = r"[^\d\s.,'’()+−-]{0,4}"
_SIGNED = re.compile(
    rf"(?P<before>[-+−]?)\s*(?P<unit>{_UNIT})\s*(?P<inner>[-+−]?)\s*"
    rf"(?P<number>[.,]?[0-9](?:[0-9.,{_SPACES}]*[0-9])?)\s*(?P<after>[-+−]?)\s*(?P<end>{_UNIT})"
)
_SYMBOLS = {
    "€": {"EUR"},
    "£": {"GBP", "GIP", "FKP", "SHP"},
    "¥": {"JPY", "CNY"},
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD"},
    "R$": {"BRL"},
    "₹": {"INR"},
    "zł": {"PLN"},
    "Kč": {"CZK"},
    "Ft": {"HUF"},
    "kr": {"SEK", "NOK", "DKK", "ISK"},
}


@lru_cache(maxsize=4_096)
def date_formats(cell: str) -> tuple[DateFormat, ...]:
    """Every format in which the cell is a date; days repeat, so some answers are kept."""
    digits = _FIRST_DIGITS.match(cell.strip())
    among = _BY_SEPARATOR.get(digits[1], ()) if digits else ()
    return tuple(one for one in among if read_date(cell, one) is not None)


def read_date(cell: str, date_format: DateFormat) -> datetime | None:
    """The moment that the cell names, without a zone unless it has an offset itself."""
    found = _DATES[date_format].fullmatch(cell.strip()) if len(cell) <= LONGEST else None
    if found is None:
        return None
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    try:
        clock = _clock(found)
        moment = datetime(year, int(found["month"]), int(found["day"]))
        return datetime.combine(moment, clock) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _clock(found: re.Match[str]) -> time:
    if found["hour"] is None:
        return NOON
    zone = None
    if found["offset"]:
        offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
        zone = timezone(-offset if found["sign"] == "-" else offset)
    return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), tzinfo=zone)


def read_amount(cell: str, mark: DecimalMark, currency: Currency) -> Decimal | None:
    """The amount in that currency under that mark."""
    return read_amounts(cell, currency).get(mark)


def read_amounts(cell: str, currency: Currency) -> dict[DecimalMark, Decimal]:
    """The amounts in that currency, which the cell may name by its code or symbol, by mark.

    A minus may stand before or after the number, or be written as a pair of brackets. Decimal
    places beyond the currency's must be zeros.
    """
    text = cell.strip()
    if len(cell) > LONGEST:
        return {}
    bracketed = text.startswith("(") and text.endswith(")")
    found = _SIGNED.fullmatch(text[1:-1].strip() if bracketed else text)
    if found is None or not all(
        names(found[end], currency) for end in ("unit", "end") if found[end]
    ):
        return {}
    signs = found["before"] + found["inner"] + found["after"]
    if len(signs) + bracketed > 1:
        return {}
    negative = bracketed or signs in {"-", "−"}
    numbers = ((mark, number.fullmatch(found["number"])) for mark, number in _NUMBERS.items())
    amounts = ((mark, _exact(number, currency)) for mark, number in numbers if number)
    return {
        mark: money.negated(amount) if negative else amount
        for mark, amount in amounts
        if amount is not None
    }


def _exact(number: re.Match[str], currency: Currency) -> Decimal | None:
    whole = re.sub("[^0-9]", "", number["whole"] or "").lstrip("0") or "0"
    places = currency.minor_units
    part = number["part"] or ""
    try:
        kept = part[:places] + part[places:].rstrip("0")
        return money.in_currency(Decimal(f"{whole}.{kept}" if kept else whole), currency)
    except InvalidInput:
        return None


def names(text: str, currency: Currency) -> bool:
    """Whether the text is the code or the symbol of that currency."""
    return text == currency.code or currency.code in _SYMBOLS.get(text, ())
