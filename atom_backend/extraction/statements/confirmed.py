"""A mapping in which nothing is open any more, checked before the first row is read.

Invariant: every place is a column of the header, and the columns make one amount and one date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atom_backend.domain.finance.statements import (
    DateFormat,
    DebitSign,
    DecimalMark,
    Delimiter,
    Encoding,
    Role,
    StatementMapping,
)
from atom_backend.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``debit_sign`` matters only where debits have a column of their own."""

    encoding: Encoding
    delimiter: Delimiter
    header: tuple[str, ...]
    columns: Mapping[Role, int]
    date_format: DateFormat
    decimal_mark: DecimalMark
    debit_sign: DebitSign | None


def confirmed(mapping: StatementMapping) -> Confirmed:
    """Raises InvalidInput ``incomplete_mapping`` with a problem for everything that is open."""
    problems = list(_problems(mapping))
    encoding, delimiter = mapping.encoding, mapping.delimiter
    dates, mark = mapping.date_format, mapping.decimal_mark
    if problems or encoding is None or delimiter is None or dates is None or mark is None:
        raise _refused(problems)
    return Confirmed(
        encoding=encoding,
        delimiter=delimiter,
        header=mapping.header,
        columns=dict(mapping.columns),
        date_format=dates,
        decimal_mark=mark,
        debit_sign=mapping.debit_sign,
    )


def check_places(columns: Mapping[Role, int], header: Sequence[str]) -> None:
    """Raises InvalidInput ``incomplete_mapping`` where a role stands in no column of its own."""
    problems = list(_problems_of_places(columns, header))
    if problems:
        raise _refused(problems)


def _refused(problems: Sequence[FieldProblem]) -> InvalidInput:
    detail = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in problems)
    return InvalidInput(
        f"The mapping of the statement is not complete: {detail}.",
        code="incomplete_mapping",
        problems=problems,
    )


def _problems(mapping: StatementMapping) -> Iterator[FieldProblem]:
    for name in ("encoding", "delimiter", "date_format", "decimal_mark"):
        if getattr(mapping, name) is None:
            yield FieldProblem(f"/{name}", "must be chosen")
    if not mapping.header:
        yield FieldProblem("/header", "must be the names above the rows")
    columns = mapping.columns
    yield from _problems_of_places(columns, mapping.header)
    if Role.DATE not in columns:
        yield FieldProblem("/columns/date", "must be chosen")
    amounts = columns.keys() & {Role.AMOUNT, Role.DEBIT, Role.CREDIT}
    if amounts not in ({Role.AMOUNT}, {Role.DEBIT, Role.CREDIT}):
        yield FieldProblem("/columns/amount", "choose the amount, or the debit and the credit")
    if Role.DIRECTION in columns and Role.AMOUNT not in columns:
        yield FieldProblem("/columns/direction", "goes with an amount only")
    if Role.DEBIT in columns and mapping.debit_sign is None:
        yield FieldProblem("/debit_sign", "must be chosen where debits have their own column")


def _problems_of_places(
    columns: Mapping[Role, int], header: Sequence[str]
) -> Iterator[FieldProblem]:
    for role, place in columns.items():
        if not 0 <= place < len(header):
            yield FieldProblem(f"/columns/{role}", "must be a column's place, counted from 0")
    if len(set(columns.values())) != len(columns):
        yield FieldProblem("/columns", "a column can have one role only")
