"""Rotation of the vault's keys, by whoever has the machine.

Every row is rewrapped in the transaction that locks it, so that a refresh which runs meanwhile
waits for it or is waited for, and its newer secret is never overwritten. A rotation only looks for
what is not under the first key yet: killed at any point it has lost nothing, and the next one goes
on. The canary comes last. Invariant: a key is called retired only while nothing is under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from atom_backend.domain.audit import AuditAction
from atom_backend.domain.drift import Progress
from atom_backend.domain.key_rotation import KeyStatus, RotationReport, SealedRow, statuses
from atom_backend.domain.ports import Transactions
from atom_backend.domain.secrets import CANARY, SEALED_COLUMNS, Place, Vault
from atom_backend.errors import Conflict, NotFound, StoredDataError, VaultUnavailable

_BATCH = 200
"""Rows; a refresh of one of them waits some milliseconds at most."""


class Keys:
    """The use cases of ``python -m atom_backend keys``."""

    def __init__(self, transactions: Transactions, vault: Vault, *, batch: int = _BATCH) -> None:
        self._transactions = transactions
        self._vault = vault
        self._batch = batch

    def status(self) -> list[KeyStatus]:
        """Every key that is held or used; needs no right key."""
        with self._transactions.vault() as work:
            return statuses(self._vault.key_ids, work.uses())

    def rotate(self, progress: Progress) -> RotationReport:
        """Bring everything under the key that writes.

        Raises VaultUnavailable where the canary does not open, and DatabaseUnavailable also where
        a row is held by somebody else for too long; what is done by then stays done.
        """
        self._vault.require()
        rotation = _Rotation(self._transactions, self._vault, self._batch, progress)
        for table, _ in groupby(SEALED_COLUMNS, key=lambda sealed: sealed.table):
            rotation.rewrap(table, wait=False)
            rotation.rewrap(table, wait=True)
        rotation.rewrap_canary()
        return rotation.report

    def retire(self, key_id: str) -> KeyStatus:
        """The key, under which nothing is any more, so that it may leave the keyring.

        Raises NotFound for a key that nobody knows, and Conflict (code ``key_in_use``).
        """
        with self._transactions.vault() as work:
            known = statuses(self._vault.key_ids, work.uses())
            found = next((key for key in known if key.key_id == key_id), None)
            if found is None:
                ids = ", ".join(key.key_id for key in known) or "none"
                raise NotFound(f"There is no key {key_id}; there are: {ids}.")
            if found.writes:
                raise Conflict(f"{found}. What writes cannot be retired.", code="key_in_use")
            if found.uses:
                raise Conflict(f"{found}. Run 'keys rotate' first.", code="key_in_use")
            work.note(AuditAction.RETIRE)
        return found


class _Rotation:
    """One rotation, with what it has done so far."""

    def __init__(
        self, transactions: Transactions, vault: Vault, batch: int, progress: Progress
    ) -> None:
        self._transactions = transactions
        self._vault = vault
        self._batch = batch
        self._progress = progress
        self._key_id = vault.key_ids[0]
        self._rows = 0
        self._unopened: dict[str, None] = {}

    @property
    def report(self) -> RotationReport:
        return RotationReport(self._key_id, self._rows, tuple(self._unopened))

    def rewrap(self, table: str, *, wait: bool) -> None:
        after: UUID | None = None
        while True:
            with self._transactions.vault() as work:
                rows = work.stale(table, self._key_id, after=after, limit=self._batch, wait=wait)
                changed = [new for row in rows if (new := self._rewrapped(row)) != row]
                work.replace(changed)
            if not rows:
                return
            after = rows[-1].row_id
            self._rows += len(changed)
            self._progress(self._rows, self._rows)

    def rewrap_canary(self) -> None:
        with self._transactions.vault() as work:
            sealed = work.canary(for_update=True)
            if sealed is None or self._vault.key_id(sealed) == self._key_id:
                return
            work.replace_canary(self._vault.rewrap(sealed, CANARY))
            work.note(AuditAction.ROTATE)

    def _rewrapped(self, row: SealedRow) -> SealedRow:
        return replace(row, sealed=dict(self._cells(row)))

    def _cells(self, row: SealedRow) -> Iterator[tuple[str, bytes | None]]:
        for column, sealed in row.sealed.items():
            place = Place(row.table, row.row_id, column, row.owner_id)
            try:
                yield column, sealed and self._vault.rewrap(sealed, place)
            except (StoredDataError, VaultUnavailable) as error:
                self._unopened[error.message] = None
                yield column, sealed
