"""Finds the table in a statement: banks write what they like above it.

Invariant: a header is followed by a row that has a date and an amount below two of its names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.finance.statements import Role
from atom_backend.extraction.statements.cells import date_formats, read_amounts
from atom_backend.extraction.statements.records import Record, not_a_statement
from atom_backend.extraction.statements.vocabulary import meaning

MOST_PREAMBLE = 60
"""Records above the table, and so many are looked at to find it."""

MOST_COLUMNS = 60


def find_header(records: Iterable[Record], currency: Currency) -> tuple[str, ...] | None:
    """The names above the first row; those are preferred that say date and amount.

    Something that looks like a row may stand above the table, such as a balance of some day.
    """
    candidates: list[tuple[str, ...]] = []
    names: tuple[str, ...] = ()
    for record in islice((one for one in records if not one.blank), MOST_PREAMBLE):
        cells = trimmed(record.cells)
        if _is_row(cells, names, currency):
            candidates.append(names)
        elif _are_names(cells, currency):
            names = cells
    return next(filter(_are_known, candidates), next(iter(candidates), None))


def rows_below(header: tuple[str, ...], records: Iterable[Record]) -> Iterator[Record]:
    """The records below the first one that is ``header``, blank ones left out.

    Raises InvalidInput ``not_a_statement`` where there is none near the top.
    """
    remaining = iter(records)
    for above in islice((one for one in remaining if not one.blank), MOST_PREAMBLE):
        if trimmed(above.cells) == header:
            return (record for record in remaining if not record.blank)
    raise not_a_statement("none of its first lines has the names of columns that are expected")


def trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without the empty cells at the end, which many programs add."""
    length = len(cells)
    while length and not cells[length - 1]:
        length -= 1
    return cells[:length]


def _is_row(cells: tuple[str, ...], names: tuple[str, ...], currency: Currency) -> bool:
    """Whether a date and, elsewhere, an amount stand below names."""
    dates = {place for place, cell in enumerate(cells) if date_formats(cell)}
    numbers = {place for place, cell in enumerate(cells) if read_amounts(cell, currency)}
    below = {place for place, name in enumerate(names) if name}
    pairs = ((date, number) for date in dates & below for number in numbers & below)
    return len(cells) <= len(names) and any(date != number for date, number in pairs)


def _are_names(cells: tuple[str, ...], currency: Currency) -> bool:
    if not 2 <= len(cells) <= MOST_COLUMNS or sum(map(bool, cells)) < 2:
        return False
    return not any(date_formats(cell) or read_amounts(cell, currency) for cell in cells)


def _are_known(names: tuple[str, ...]) -> bool:
    roles = {known[0] for known in map(meaning, names) if known is not None}
    return Role.DATE in roles and bool(roles & {Role.AMOUNT, Role.DEBIT, Role.CREDIT})
