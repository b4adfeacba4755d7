"""Makes a draft of a transaction from each row of a statement, or says why not.

A row that the bank gave no identifier gets one from what it says and from how many equal rows
stand before it: the same file again, or another one that overlaps by whole days, names the same
transactions the same way. The category is left out of it, because banks and people change it.
Invariant: no two drafts of a file share an identifier.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from atom_backend.domain.finance import money
from atom_backend.domain.finance.ledger import LedgerAccount, TransactionDraft, checked
from atom_backend.domain.finance.statements import DebitSign, RefusedRow, Role
from atom_backend.errors import InvalidInput
from atom_backend.extraction.statements.cells import names, read_amount, read_date
from atom_backend.extraction.statements.confirmed import Confirmed
from atom_backend.extraction.statements.records import Record
from atom_backend.extraction.statements.table import trimmed
from atom_backend.extraction.statements.vocabulary import INWARD, OUTWARD

SOURCE = "statement"
_DIGEST_BYTES = 16


class _Unreadable(Exception):
    """Why a row cannot be imported."""


class Drafting:
    """Turns the records of one file into drafts, and keeps the digests of what it has named."""

    def __init__(self, mapping: Confirmed, account: LedgerAccount, zone: ZoneInfo) -> None:
        self._mapping, self._account, self._zone = mapping, account, zone
        self._equal_rows: Counter[bytes] = Counter()
        self._lines: dict[bytes, int] = {}

    def draft(self, record: Record) -> TransactionDraft | RefusedRow:
        try:
            return self._draft(record)
        except _Unreadable as error:
            reason = str(error)
        except InvalidInput as error:
            reason = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in error.problems)
        return RefusedRow(record.line, record.last_line, reason)

    def _draft(self, record: Record) -> TransactionDraft:
        if record.problem is not None:
            raise _Unreadable(record.problem)
        if len(trimmed(record.cells)) > len(self._mapping.header):
            raise _Unreadable("it has more cells than the header has names")
        cells = {role: _cell(record, place) for role, place in self._mapping.columns.items()}
        self._check_currency(cells)
        moment = self._moment(cells)
        draft = TransactionDraft(
            account_id=self._account.id,
            amount=self._amount(cells),
            posted_at=_in_utc(moment, self._zone),
            category=cells.get(Role.CATEGORY) or None,
            counterparty=cells.get(Role.COUNTERPARTY) or None,
            description=cells.get(Role.DESCRIPTION) or None,
            source=SOURCE,
            external_id=cells.get(Role.EXTERNAL_ID) or None,
        )
        return self._named(checked(draft, self._account.currency), moment, record.line)

    def _check_currency(self, cells: dict[Role, str]) -> None:
        named, kept = cells.get(Role.CURRENCY), self._account.currency
        if named and not names(named.upper(), kept):
            raise _Unreadable(f"currency: the account is kept in {kept.code}")

    def _moment(self, cells: dict[Role, str]) -> datetime:
        date_format = self._mapping.date_format
        moment = read_date(cells[Role.DATE], date_format)
        if moment is None:
            raise _Unreadable(f"date: it is not written {date_format.value}")
        return moment

    def _amount(self, cells: dict[Role, str]) -> Decimal:
        if Role.AMOUNT not in cells:
            return self._amount_of_two(cells)
        amount = self._read(Role.AMOUNT, cells)
        if amount is None:
            raise _Unreadable("amount: there is none")
        if Role.DIRECTION not in cells:
            return amount
        word = cells[Role.DIRECTION].casefold()
        if amount < 0 or word not in INWARD | OUTWARD:
            raise _Unreadable("direction: it does not say whether the amount came or went")
        return amount if word in INWARD else money.negated(amount)

    def _amount_of_two(self, cells: dict[Role, str]) -> Decimal:
        debit, credit = self._read(Role.DEBIT, cells), self._read(Role.CREDIT, cells)
        if debit and credit:
            raise _Unreadable("amount: it is a debit and a credit at once")
        if debit:
            signed = self._mapping.debit_sign is DebitSign.SIGNED
            return debit if signed else money.negated(debit)
        amount = debit if credit is None else credit
        if amount is None:
            raise _Unreadable("amount: there is none")
        return amount

    def _read(self, role: Role, cells: dict[Role, str]) -> Decimal | None:
        """None for a blank cell."""
        mark, currency = self._mapping.decimal_mark, self._account.currency
        amount = read_amount(cells[role], mark, currency)
        if amount is None and cells[role]:
            raise _Unreadable(
                f"{role}: it is no amount in {currency.code} with decimals after {mark.value!r}"
            )
        return amount

    def _named(self, draft: TransactionDraft, moment: datetime, line: int) -> TransactionDraft:
        if draft.external_id is None:
            said = self._digest(draft, moment)
            self._equal_rows[said] += 1
            digest = hashlib.sha256(said + b"%d" % self._equal_rows[said]).digest()
            draft = replace(draft, external_id=f"row-{digest[:_DIGEST_BYTES].hex()}")
        name = hashlib.sha256(str(draft.external_id).encode()).digest()[:_DIGEST_BYTES]
        first = self._lines.setdefault(name, line)
        if first != line:
            raise _Unreadable(f"external_id: it is that of line {first}")
        return draft

    def _digest(self, draft: TransactionDraft, moment: datetime) -> bytes:
        """What a row says, as the file writes it: the zone of the import plays no part."""
        texts = [_plain(text) for text in (draft.counterparty, draft.description)]
        amount = money.text(draft.amount, self._account.currency)
        said = [str(self._account.id), moment.isoformat(), amount, *texts]
        return hashlib.sha256(json.dumps(said).encode()).digest()[:_DIGEST_BYTES]


def _cell(record: Record, place: int) -> str:
    """A row may end before cells that are blank."""
    return record.cells[place] if place < len(record.cells) else ""


def _in_utc(moment: datetime, zone: ZoneInfo) -> datetime:
    """A time without an offset is one on the clocks of ``zone``, the first of two equal ones."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _plain(text: str | None) -> str:
    """Text that looks alike is alike: spaces and the ways to write an accent do not count."""
    return " ".join(unicodedata.normalize("NFC", text or "").split())
