"""The table in a file is found whatever surrounds and encodes it, or the file is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.finance.statements import Delimiter, Encoding, Role
from atom_backend.errors import InvalidInput, RequestError, TooLarge
from atom_backend.extraction.statements.records import MAX_BYTES, MAX_RECORDS
from tests.unit.extraction.bank_statements import AMERICAN, BRITISH, DUTCH, GERMAN, asked, preview


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", Encoding.UTF_8),
        ("utf-8-sig", Encoding.UTF_8),
        ("utf-16", Encoding.UTF_16),
        ("utf-16-le", Encoding.UTF_16_LE),
        ("utf-16-be", Encoding.UTF_16_BE),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_unicode_is_recognised_with_and_without_its_mark(
    codec: str, encoding: Encoding, ends: str
) -> None:
    found = preview(GERMAN.replace("\n", ends).encode(codec))
    assert found.mapping.encoding is encoding
    assert found.cells[0][2] == "Müller GmbH"
    assert found.mapping.header[0] == "Buchungstag"


def test_the_mark_is_no_part_of_the_first_name() -> None:
    found = preview(AMERICAN.encode("utf-8-sig"))
    assert found.mapping.header[0] == "Transaction ID"
    assert found.mapping.columns[Role.EXTERNAL_ID] == 0


def test_an_older_encoding_is_told_by_its_text_or_asked_for() -> None:
    assert preview(GERMAN.encode("cp1252")).mapping.encoding is Encoding.WINDOWS_1252
    found = preview("Datum;Betrag;Name\n13.01.2026;-1,00;\xe9\n".encode("latin-1"))
    assert asked(found).keys() == {"encoding"}
    assert found.mapping.encoding is None
    assert asked(found)["encoding"][0] == "cp1252"


@pytest.mark.parametrize("delimiter", Delimiter)
def test_every_delimiter_is_told_by_the_table_that_it_gives(delimiter: Delimiter) -> None:
    rows = [("Date", "Amount", "Memo"), ("13/01/2026", "-5.00", "a"), ("14/01/2026", "6", "b")]
    statement = "\n".join(delimiter.join(row) for row in rows)
    assert preview(statement).mapping.delimiter is delimiter


def test_two_delimiters_that_both_give_a_table_are_asked_for() -> None:
    found = preview("Date,Amount,X;Date;Amount\n2026-01-13,-1,x;2026-01-13;-2\n")
    assert asked(found) == {"delimiter": (",", ";")}
    assert found.mapping.delimiter is None
    assert found.sample == ()


def test_what_looks_like_a_row_above_the_table_is_not_its_beginning() -> None:
    above = "Konto;Stand;Summe\nGiro;01.03.2026;5,00\n\n"
    assert preview(above + GERMAN).mapping.header[0] == "Buchungstag"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"hello",
        b"Date,Amount\n",
        b"Date,Amount\nfoo,bar\n",
        b"%PDF-1.7\x00\x01",
        b"PK\x03\x04" + b"\x00" * 100,
        b"\xff\xfe\x00\xd8",
        b"Date,Amount\n2026-01-13,-5\x00\n",
        b"," * 70_000,
        b"Date" + b",Amount" * 16 + b"\n2026-01-13" + b",5" * 16 + b"\n",
        b'Date,Amount\n"2026-01-13,-5\n' + b"x\n" * 50_000,
        b"Date,Amount\n" + b"," * 65_000 + b"\n",
    ],
)
def test_what_is_no_statement_is_refused_with_advice(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        preview(content)
    assert refused.value.code in {"not_a_statement", "undecodable_text"}


@pytest.mark.parametrize(
    ("memo", "advice"), [("a\x00b", "not a text file"), ("x" * 70_000, "65,536 characters")]
)
def test_a_table_that_no_bank_would_write_is_refused(memo: str, advice: str) -> None:
    with pytest.raises(InvalidInput, match=advice):
        preview(f"Date,Amount,Memo\n2026-01-13,-5,tea\n2026-01-13,-5,{memo}\n")


def test_a_statement_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge, match="MiB"):
        preview(b"x" * (MAX_BYTES + 1))
    rows = "2026-01-13,-5\n" * MAX_RECORDS
    with pytest.raises(TooLarge, match="rows"):
        preview(f"Date,Amount\n{rows}")


@settings(deadline=None)
@given(st.integers())
def test_a_damaged_statement_is_refused_or_previewed_but_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(chance.choice([GERMAN, BRITISH, DUTCH, AMERICAN]).encode())
    for _ in range(chance.randrange(1, 20)):
        content[chance.randrange(len(content))] = chance.choice(b'";,\n\r\x00\xff\xe9\t|-.\\01')
    try:
        found = preview(bytes(content))
    except RequestError:
        return
    assert bool(found.sample) is (not found.questions)
