"""The face of the package: previews and imports of CSV statements.

Invariant: a sample in a preview is what importing the same bytes with that mapping gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from zoneinfo import ZoneInfo

from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft
from atom_backend.domain.finance.statements import Preview, RefusedRow, StatementMapping
from atom_backend.extraction.statements.confirmed import confirmed
from atom_backend.extraction.statements.drafts import Drafting
from atom_backend.extraction.statements.proposal import SAMPLE_ROWS, propose
from atom_backend.extraction.statements.records import records
from atom_backend.extraction.statements.table import rows_below


class CsvStatements:
    """The port ``domain.statements.Statements`` for CSV files."""

    def preview(
        self,
        content: bytes,
        account: LedgerAccount,
        zone: ZoneInfo,
        chosen: StatementMapping | None = None,
    ) -> Preview:
        found = propose(content, account.currency, chosen or StatementMapping())
        if found.questions:
            return found
        rows = self.rows(content, found.mapping, account, zone)
        return replace(found, sample=tuple(islice(rows, SAMPLE_ROWS)))

    def rows(
        self, content: bytes, mapping: StatementMapping, account: LedgerAccount, zone: ZoneInfo
    ) -> Iterator[TransactionDraft | RefusedRow]:
        complete = confirmed(mapping)
        drafting = Drafting(complete, account, zone)
        found = records(content, complete.encoding, complete.delimiter)
        return map(drafting.draft, rows_below(complete.header, found))
