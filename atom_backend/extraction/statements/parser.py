"""A statement as the reading child gives it to its parent: a preview or all rows, as JSON.

Invariant: what ``previewed`` and ``rows_found`` make of it is what ``CsvStatements`` said.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from atom_backend.domain.finance.currencies import CURRENCIES
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import Preview, RefusedRow, StatementMapping
from atom_backend.extraction import refusals
from atom_backend.extraction.parsed import Parsed
from atom_backend.extraction.statements.reader import CsvStatements

PREVIEW, ROWS = "preview", "rows"

_PREVIEW: Any = Preview
_ROWS: Any = list[TransactionDraft | RefusedRow]
_MAPPING: Any = StatementMapping


def read(
    content: bytes,
    max_chars: int,
    *,
    wanted: str,
    account_id: str,
    currency: str,
    time_zone: str,
    mapping: str,
) -> Parsed:
    """Raises what ``CsvStatements`` raises, and InvalidInput ``extraction_limit``."""
    account = LedgerAccount(UUID(account_id), CURRENCIES[currency])
    zone, chosen = ZoneInfo(time_zone), _wire(_MAPPING).validate_json(mapping)
    if wanted == PREVIEW:
        found = CsvStatements().preview(content, account, zone, chosen)
        text = _wire(_PREVIEW).dump_json(found)
    else:
        rows = list(CsvStatements().rows(content, chosen, account, zone))
        text = _wire(_ROWS).dump_json(rows, exclude_defaults=True)
    if len(text) > max_chars:
        raise refusals.limit("more room for its rows")
    return Parsed(text.decode(), None)


def written(mapping: StatementMapping) -> str:
    """The mapping as ``read`` takes it."""
    text: bytes = _wire(_MAPPING).dump_json(mapping)
    return text.decode()


def previewed(text: str) -> Preview:
    """Raises ValueError where the child says what it cannot have found."""
    found: Preview = _wire(_PREVIEW).validate_json(text)
    return found


def rows_found(text: str) -> list[TransactionDraft | RefusedRow]:
    """Raises as ``previewed`` does."""
    found: list[TransactionDraft | RefusedRow] = _wire(_ROWS).validate_json(text)
    return found


@cache
def _wire(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
