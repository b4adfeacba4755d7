"""Takes the bytes of a statement apart into records of cells, each with its lines.

The csv module reads strictly: a record whose quotes do not match is given as one that cannot be
read, because a lenient reader would alter its text in silence.
Invariant: at most one line and one record are held besides the bytes themselves.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from atom_backend.domain.finance.statements import Delimiter, Encoding
from atom_backend.errors import InvalidInput, TooLarge
from atom_backend.extraction import refusals

MAX_BYTES = 4 * 1024 * 1024
MAX_RECORDS = 50_000
"""Ten years of 13 transactions a day; it bounds the time that a preview takes."""

MAX_LINE_CHARS = 65_536
"""A longer line is no row of a statement, and would become as many cells."""

_CODECS = {Encoding.UTF_8: "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the file; ``problem`` says why it could not be taken apart."""

    line: int
    last_line: int
    cells: tuple[str, ...]
    problem: str | None = None

    @property
    def blank(self) -> bool:
        return self.problem is None and not any(self.cells)


def records(content: bytes, encoding: Encoding, delimiter: Delimiter) -> Iterator[Record]:
    """All records, blank ones too; cells come without the space around them.

    Raises TooLarge, and InvalidInput where the encoding does not fit, when it comes upon it.
    """
    check_size(content)
    reader = csv.reader(_lines(content, encoding), delimiter=delimiter.value, strict=True)
    for _ in range(MAX_RECORDS):
        line = reader.line_num + 1
        try:
            cells = tuple(cell.strip() for cell in next(reader))
            yield Record(line, reader.line_num, cells)
        except StopIteration:
            return
        except csv.Error:
            yield Record(line, reader.line_num, (), "its quotation marks do not match")
    try:
        ended = next(reader, None) is None
    except csv.Error:
        ended = False
    if not ended:
        raise _too_large(f"longer than {MAX_RECORDS:,} rows")


def check_size(content: bytes) -> None:
    """Raises TooLarge."""
    if len(content) > MAX_BYTES:
        raise _too_large(f"larger than {MAX_BYTES // 1024**2} MiB")


def _too_large(how: str) -> TooLarge:
    """``how`` is a phrase such as "longer than 10 rows"."""
    return TooLarge(f"The statement is {how}: split it into smaller files.", code="text_too_large")


def not_a_statement(why: str) -> InvalidInput:
    """``why`` is a sentence without its full stop, saying what to change."""
    return InvalidInput(f"No statement can be read here: {why}.", code="not_a_statement")


def _lines(content: bytes, encoding: Encoding) -> Iterator[str]:
    codec = _CODECS.get(encoding, encoding.value)
    with io.TextIOWrapper(io.BytesIO(content), codec, "strict", newline="") as stream:
        try:
            while line := stream.readline(MAX_LINE_CHARS + 1):
                if len(line) > MAX_LINE_CHARS:
                    raise not_a_statement(f"a line has more than {MAX_LINE_CHARS:,} characters")
                if "\x00" in line:
                    raise not_a_statement("it is not a text file; export it as CSV")
                yield line
        except UnicodeError as error:
            raise refusals.undecodable() from error
