"""The currencies that accounts can be kept in: codes of ISO 4217 with their minor units.

Source: "List One" of SIX, the maintenance agency of ISO 4217, published on 2026-01-01. Left out
are codes without a minor unit: metals, bond units, special drawing rights, XTS and XXX. What was
withdrawn between 2020 and that date ("List Three") is kept, because old statements name it.
Invariant: a code is never taken away, nor its minor unit changed: stored amounts rely on both.
"""

from __future__ import annotations

from dataclasses import dataclass

from atom_backend.errors import FieldProblem, InvalidInput

_BY_MINOR_UNITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
        "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
        "XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_WITHDRAWN = {2: "ANG BGN CUC HRK SLL ZWL"}


@dataclass(frozen=True, slots=True)
class Currency:
    """``minor_units`` is how many decimal places an amount has: JPY 0, USD 2, KWD 3, CLF 4."""

    code: str
    minor_units: int


CURRENCIES = {
    code: Currency(code, places)
    for listed in (_BY_MINOR_UNITS, _WITHDRAWN)
    for places, codes in listed.items()
    for code in codes.split()
}
"""Every currency by its code."""


def currency(code: str, *, pointer: str = "/currency") -> Currency:
    """The currency of that code, in capital letters. Raises InvalidInput ``unknown_currency``."""
    found = CURRENCIES.get(code)
    if found is None:
        detail = "must be a currency code of ISO 4217 in capital letters, such as EUR"
        raise InvalidInput(
            f"The currency {detail}.",
            code="unknown_currency",
            problems=[FieldProblem(pointer, detail)],
        )
    return found
