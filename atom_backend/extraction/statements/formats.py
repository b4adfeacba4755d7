"""Decides how dates and amounts are written, from all cells of their columns.

Invariant: a format is taken only where it reads every cell that any format reads, and no other
one does so with another meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

from atom_backend.domain.finance.statements import DateFormat, DebitSign, DecimalMark, Question
from atom_backend.extraction.statements.profile import ColumnProfile


def date_format(profile: ColumnProfile) -> DateFormat | Question:
    """Days up to the twelfth can be read as months: a file that has only such days is open."""
    whole = [one for one in DateFormat if profile.dates[one] == profile.date_like > 0]
    if len(whole) == 1:
        return whole[0]
    detail = (
        "every day is at most the twelfth, so that it could be the month"
        if whole
        else "no one format reads all dates; rows that the chosen one cannot read are refused"
    )
    choices = whole or [one for one in DateFormat if profile.dates[one]] or list(DateFormat)
    return Question("date_format", detail, tuple(one.value for one in choices))


def decimal_mark(profiles: Sequence[ColumnProfile]) -> DecimalMark | Question:
    """Where only whole numbers without separators stand, both marks mean the same."""
    like = sum(one.number_like for one in profiles)
    whole = [mark for mark in DecimalMark if sum(one.numbers[mark] for one in profiles) == like]
    if len(whole) == 1 or (whole and not any(one.disputed for one in profiles)):
        return whole[0]
    detail = (
        "all separators stand before three digits, so that they could be thousands or decimals"
        if whole
        else "no one mark reads all amounts; rows that the chosen one cannot read are refused"
    )
    return Question("decimal_mark", detail, tuple(mark.value for mark in DecimalMark))


def debit_sign(debits: ColumnProfile) -> DebitSign | Question:
    if not debits.negative:
        return DebitSign.UNSIGNED
    if not debits.positive:
        return DebitSign.SIGNED
    return Question(
        "debit_sign",
        "some debits have a minus and others have none: is a minus how debits are written "
        "(signed), or does it take a debit back (unsigned)",
        tuple(one.value for one in DebitSign),
    )
