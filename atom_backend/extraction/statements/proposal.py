"""Puts together how a statement seems to be read, and everything that remains to be asked.

Invariant: formats are proposed from the whole file, not from its beginning, so that a row that
decides a question is never overlooked.
"""

from __future__ import annotations

from dataclasses import replace

from atom_backend.domain.finance.currencies import Currency
from atom_backend.domain.finance.statements import (
    Delimiter,
    Encoding,
    Preview,
    Question,
    Role,
    StatementMapping,
)
from atom_backend.extraction.statements.columns import Columns, decide
from atom_backend.extraction.statements.confirmed import check_places
from atom_backend.extraction.statements.encodings import possible_encodings
from atom_backend.extraction.statements.formats import date_format, debit_sign, decimal_mark
from atom_backend.extraction.statements.profile import ColumnProfile
from atom_backend.extraction.statements.records import check_size, not_a_statement, records
from atom_backend.extraction.statements.table import find_header, rows_below
from atom_backend.extraction.statements.vocabulary import meaning

SAMPLE_ROWS = 5
MOST_DECIDING = 16
"""Columns that are read to the end; it bounds the time that a preview takes."""

_DECIDED_BY_EVERY_CELL = frozenset(
    {Role.DATE, Role.AMOUNT, Role.DEBIT, Role.CREDIT, Role.DIRECTION, Role.EXTERNAL_ID}
)


def propose(content: bytes, currency: Currency, chosen: StatementMapping) -> Preview:
    """A preview without its sample. Raises InvalidInput and TooLarge."""
    check_size(content)  # before anything is decoded
    encodings = (chosen.encoding,) if chosen.encoding else possible_encodings(content)
    delimiters = (chosen.delimiter,) if chosen.delimiter else tuple(Delimiter)
    headers = {
        delimiter: chosen.header or header
        for delimiter in delimiters
        if (header := find_header(records(content, encodings[0], delimiter), currency))
    }
    if not headers:
        raise not_a_statement(
            "there must be a line with the names of columns, and below it rows with a date and an "
            f"amount in {currency.code}; commas, semicolons, tabs or bars between cells"
        )
    delimiter = next(iter(headers))
    found = _read(
        content,
        currency,
        encoding=encodings[0],
        delimiter=delimiter,
        header=headers[delimiter],
        chosen=chosen,
    )
    if len(headers) > 1:
        found = _doubtful(found, "delimiter", "several delimiters give a table", tuple(headers))
    if len(encodings) > 1:
        detail = "letters beyond ASCII read differently; choose where names look right"
        found = _doubtful(found, "encoding", detail, encodings)
    return found


def _read(
    content: bytes,
    currency: Currency,
    *,
    encoding: Encoding,
    delimiter: Delimiter,
    header: tuple[str, ...],
    chosen: StatementMapping,
) -> Preview:
    check_places(chosen.columns, header)
    deciding = set(chosen.columns.values())
    profiles = [_profile(name, place in deciding, currency) for place, name in enumerate(header)]
    if sum(profile.whole for profile in profiles) > MOST_DECIDING:
        raise not_a_statement(f"more than {MOST_DECIDING} columns have names of dates and amounts")
    first: list[tuple[str, ...]] = []
    count = 0
    for record in rows_below(header, records(content, encoding, delimiter)):
        count += 1
        if len(first) < SAMPLE_ROWS:
            first.append(record.cells)
        for profile, cell in zip(profiles, record.cells, strict=False):
            profile.add(cell)
    columns = decide(header, profiles, chosen.columns)
    mapping = replace(
        chosen, encoding=encoding, delimiter=delimiter, header=header, columns=columns.places
    )
    mapping, questions = _with_formats(mapping, columns)
    return Preview(
        mapping=mapping,
        questions=(*columns.questions, *questions),
        notes=tuple(columns.notes),
        rows=count,
        cells=tuple(first),
        sample=(),
    )


def _profile(name: str, deciding: bool, currency: Currency) -> ColumnProfile:
    known = meaning(name)
    role = known[0] if known else None
    return ColumnProfile(
        currency,
        whole=deciding or role in _DECIDED_BY_EVERY_CELL,
        distinct_wanted=role is Role.EXTERNAL_ID,
    )


def _with_formats(
    mapping: StatementMapping, columns: Columns
) -> tuple[StatementMapping, list[Question]]:
    """What is chosen stays; what is not needed is not asked."""
    answers: dict[str, object] = {}
    dates = columns.profile(Role.DATE)
    if dates is not None and mapping.date_format is None:
        answers["date_format"] = date_format(dates)
    amounts = [columns.profile(role) for role in (Role.AMOUNT, Role.DEBIT, Role.CREDIT)]
    known = [profile for profile in amounts if profile is not None]
    if known and mapping.decimal_mark is None:
        answers["decimal_mark"] = decimal_mark(known)
    debits = columns.profile(Role.DEBIT)
    if debits is not None and mapping.debit_sign is None:
        answers["debit_sign"] = debit_sign(debits)
    questions = [answer for answer in answers.values() if isinstance(answer, Question)]
    decided = {name: answer for name, answer in answers.items() if not isinstance(answer, Question)}
    return replace(mapping, **decided), questions  # type: ignore[arg-type]


def _doubtful(found: Preview, field: str, detail: str, choices: tuple[str, ...]) -> Preview:
    question = Question(field, detail, tuple(choices))
    mapping = replace(found.mapping, **{field: None})  # type: ignore[arg-type]
    return replace(found, mapping=mapping, questions=(*found.questions, question))
