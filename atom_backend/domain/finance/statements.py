"""Bank statements as values: how a file is to be read, what is in doubt, what its rows become.

A file is first previewed: that gives a mapping, and a question wherever the file itself does not
say what it means. The user answers, and the confirmed mapping then imports this file and later
ones of the same bank.
Invariant: what is in doubt is ``None`` in the mapping and a question beside it; it is never
guessed. Every row becomes a draft or a refusal; none is left out but blank ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft


class Encoding(StrEnum):
    """How the bytes of a statement become text; a byte order mark is taken off."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    WINDOWS_1252 = "cp1252"
    WINDOWS_1250 = "cp1250"
    WINDOWS_1251 = "cp1251"
    LATIN_9 = "iso-8859-15"


class Delimiter(StrEnum):
    """What stands between two cells."""

    COMMA = ","
    SEMICOLON = ";"
    TAB = "\t"
    BAR = "|"


class DateFormat(StrEnum):
    """The order of a date's parts; days and months may lack their leading zero.

    Two digits of a year mean this century. A time of day, with or without an offset, may follow.
    """

    ISO = "YYYY-MM-DD"
    ISO_SLASHES = "YYYY/MM/DD"
    ISO_BASIC = "YYYYMMDD"
    DAY_FIRST_POINTS = "DD.MM.YYYY"
    DAY_FIRST_POINTS_SHORT = "DD.MM.YY"
    DAY_FIRST = "DD/MM/YYYY"
    DAY_FIRST_SHORT = "DD/MM/YY"
    MONTH_FIRST = "MM/DD/YYYY"
    MONTH_FIRST_SHORT = "MM/DD/YY"
    DAY_FIRST_DASHES = "DD-MM-YYYY"
    MONTH_FIRST_DASHES = "MM-DD-YYYY"


class DecimalMark(StrEnum):
    """What stands before the cents; the other one may separate thousands."""

    POINT = "."
    COMMA = ","


class DebitSign(StrEnum):
    """Whether the column of debits holds what was paid as 12.50 or as -12.50."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"


class Role(StrEnum):
    """What a column says of a transaction.

    Amounts stand signed in one column, or unsigned in one with their ``DIRECTION`` in another, or
    in two columns. Rows whose ``CURRENCY`` is not the account's are refused.
    """

    DATE = "date"
    AMOUNT = "amount"
    DEBIT = "debit"
    CREDIT = "credit"
    DIRECTION = "direction"
    CURRENCY = "currency"
    COUNTERPARTY = "counterparty"
    DESCRIPTION = "description"
    EXTERNAL_ID = "external_id"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class StatementMapping:
    """How to read a statement; ``None`` where that is still to be decided.

    ``header`` are the names in the line above the rows: the file's table begins below the first
    line that has exactly these. ``columns`` are places in it, counted from 0.
    """

    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    header: tuple[str, ...] = ()
    columns: Mapping[Role, int] = field(default_factory=dict)
    date_format: DateFormat | None = None
    decimal_mark: DecimalMark | None = None
    debit_sign: DebitSign | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the user must decide: the mapping's field (or role of a column), and the choices.

    Choices of a column are the places of columns, as text.
    """

    about: str
    detail: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not imported. ``line`` counts from 1; a row may go on to ``last_line``."""

    line: int
    last_line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing would do. ``rows`` counts the rows below the header, blank ones left out.

    ``sample`` is empty as long as there are questions; ``cells`` are the first rows as they stand.
    ``notes`` say what was decided that the user may want to decide otherwise.
    """

    mapping: StatementMapping
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    rows: int
    cells: tuple[tuple[str, ...], ...]
    sample: tuple[TransactionDraft | RefusedRow, ...]


class Statements(Protocol):
    """Reads the files that banks give to their customers."""

    def preview(
        self,
        content: bytes,
        account: LedgerAccount,
        zone: ZoneInfo,
        chosen: StatementMapping | None = None,
    ) -> Preview:
        """What the file seems to say; what is set in ``chosen`` is taken from there.

        Raises InvalidInput and TooLarge for a file in which no statement can be found.
        """
        ...

    def rows(
        self, content: bytes, mapping: StatementMapping, account: LedgerAccount, zone: ZoneInfo
    ) -> Iterator[TransactionDraft | RefusedRow]:
        """Every row, in the order of the file.

        Raises InvalidInput for a mapping that is not complete or not of this file, before the
        first row; and, between rows, InvalidInput or TooLarge where the file cannot be read on.
        """
        ...
