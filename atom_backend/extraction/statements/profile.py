"""What all cells of one column have in common, gathered in one pass over the file.

Invariant: a profile's size does not grow with the file, except for the identifiers of the one
column that is asked whether it repeats itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.finance.statements import DateFormat, DecimalMark
from atom_backend.extraction.statements.cells import date_formats, read_amounts

_MOST_WORDS = 6
"""Different cells that are kept of a column: one that tells directions has two."""

_FIRST_CELLS = 500


@dataclass(slots=True)
class ColumnProfile:
    """How the cells of a column can be read; blank ones say nothing.

    ``dates`` and ``numbers`` count the cells that each format can read, ``date_like`` and
    ``number_like`` those that any can. ``disputed``: two decimal marks read different amounts.
    Unless ``whole``, only the first cells count: enough for a column that decides nothing yet.
    """

    currency: Currency
    whole: bool = True
    distinct_wanted: bool = False
    filled: int = 0
    dates: Counter[DateFormat] = field(default_factory=Counter)
    date_like: int = 0
    numbers: Counter[DecimalMark] = field(default_factory=Counter)
    number_like: int = 0
    disputed: bool = False
    positive: int = 0
    negative: int = 0
    words: set[str] = field(default_factory=set)
    repeats: bool = False
    _seen: set[int] = field(default_factory=set)

    def add(self, cell: str) -> None:
        if not cell or (self.filled >= _FIRST_CELLS and not self.whole):
            return
        self.filled += 1
        if len(self.words) < _MOST_WORDS:
            self.words.add(cell[: _MOST_WORDS * 4].casefold())
        if self.distinct_wanted:
            self.repeats = self.repeats or hash(cell) in self._seen
            self._seen.add(hash(cell))
        self._add_date(cell)
        self._add_number(cell)

    def _add_date(self, cell: str) -> None:
        formats = date_formats(cell)
        self.dates.update(formats)
        self.date_like += bool(formats)

    def _add_number(self, cell: str) -> None:
        amounts = read_amounts(cell, self.currency)
        self.numbers.update(amounts.keys())
        self.number_like += bool(amounts)
        self.disputed = self.disputed or len(set(amounts.values())) > 1
        amount = next(iter(amounts.values()), 0)
        self.positive += amount > 0
        self.negative += amount < 0
