"""Statements as banks export them, all of invented people, and what the tests do with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import Preview, RefusedRow, StatementMapping
from atom_backend.extraction.statements.reader import CsvStatements

GIRO = LedgerAccount(UUID(int=1), CURRENCIES["EUR"])
BERLIN = ZoneInfo("Europe/Berlin")

GERMAN = """Girokonto;DE00 1234
Kontostand vom 31.03.2026:;1.234,56 EUR

Buchungstag;Wertstellung;Empfänger;Verwendungszweck;Betrag (EUR);Kategorie
14.03.2026;15.03.2026;Müller GmbH;"Miete ""März""; Küche";-1.850,00;Wohnen
28.03.2026;28.03.2026;Käthe Jäger;;+12,5;
"""
BRITISH = """Date,Type,Description,Paid out,Paid in,Balance
31/01/2026,BAC,WAGES,,"1,200.00",1300.00
01/02/2026,VIS,"TEA, COFFEE",12.50,,1287.50
"""
DUTCH = """"Datum","Naam tegenpartij","Af Bij","Bedrag (EUR)"
"20260103","Kruidenier","Af","12,34"
"20260104","Werkgever","Bij","1200,00"
"""
AMERICAN = """Transaction ID,Date,Description,Amount
A1,01/05/2026,COFFEE,-4.50
A2,01/06/2026,TEA,-3.25
"""

PLAIN = "Date,Amount,Name,Memo,Category\n"
COFFEE = "2026-01-13,-4.50,Bar,coffee,food\n"
TEA = "2026-01-14,-3.25,Bar,tea,food\n"


def preview(statement: str | bytes, **chosen: Any) -> Preview:
    content = statement.encode() if isinstance(statement, str) else statement
    return CsvStatements().preview(content, GIRO, BERLIN, StatementMapping(**chosen))


def asked(found: Preview) -> dict[str, tuple[str, ...]]:
    return {question.about: question.choices for question in found.questions}


def mapping_of(statement: str | bytes, **chosen: Any) -> StatementMapping:
    """The mapping of a statement that leaves nothing to ask."""
    found = preview(statement, **chosen)
    assert found.questions == ()
    return found.mapping


def imported(
    statement: str | bytes, mapping: StatementMapping | None = None, **changed: Any
) -> list[TransactionDraft | RefusedRow]:
    content = statement.encode() if isinstance(statement, str) else statement
    mapping = replace(mapping or mapping_of(content), **changed)
    return list(CsvStatements().rows(content, mapping, GIRO, BERLIN))


def drafts(rows: list[TransactionDraft | RefusedRow]) -> list[TransactionDraft]:
    """The same rows, none of them refused."""
    kept = [row for row in rows if isinstance(row, TransactionDraft)]
    assert len(kept) == len(rows), rows
    return kept
