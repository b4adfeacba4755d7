"""Statements for the service: read by the confined process.

A hostile file can cost seconds of processor time and no more memory than the child has; here it
would hold up every other request of this process meanwhile.
Invariant: no byte of a statement is parsed in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import Preview, RefusedRow, StatementMapping
from atom_backend.extraction.media import CSV
from atom_backend.extraction.pool import SandboxPool
from atom_backend.extraction.sandbox import Request
from atom_backend.extraction.statements import parser
from atom_backend.extraction.statements.confirmed import confirmed
from atom_backend.extraction.statements.records import check_size

_MAX_CHARS = 50_000_000
"""What the rows of the largest file become has names and quotation marks besides."""


class ConfinedStatements:
    """Fills the port ``Statements``; for any number of threads."""

    def __init__(self, pool: SandboxPool) -> None:
        self._pool = pool

    def preview(
        self,
        content: bytes,
        account: LedgerAccount,
        zone: ZoneInfo,
        chosen: StatementMapping | None = None,
    ) -> Preview:
        mapping = chosen or StatementMapping()
        return parser.previewed(self._ask(parser.PREVIEW, content, mapping, account, zone))

    def rows(
        self, content: bytes, mapping: StatementMapping, account: LedgerAccount, zone: ZoneInfo
    ) -> Iterator[TransactionDraft | RefusedRow]:
        confirmed(mapping)
        return iter(parser.rows_found(self._ask(parser.ROWS, content, mapping, account, zone)))

    def _ask(
        self,
        wanted: str,
        content: bytes,
        mapping: StatementMapping,
        account: LedgerAccount,
        zone: ZoneInfo,
    ) -> str:
        """Raises what reading it raises, and DependencyError ``extractor_unavailable``."""
        check_size(content)
        options = {
            "wanted": wanted,
            "account_id": str(account.id),
            "currency": account.currency.code,
            "time_zone": zone.key,
            "mapping": parser.written(mapping),
        }
        answer = self._pool.ask(Request(content, CSV, _MAX_CHARS, options))
        if answer.refusal is not None:
            raise answer.refusal
        return answer.text
