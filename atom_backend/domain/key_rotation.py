"""Keys of the vault and what is sealed under each, as PostgreSQL tells it and as it is told.

Invariant: a key counts as used as long as any secret is under it, the canary included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from atom_backend.domain.audit import AuditAction


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many secrets of one column are under one key."""

    table: str
    column: str
    key_id: str
    secrets: int

    def __str__(self) -> str:
        return f"{self.secrets} in {self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row, locked, with all of its sealed columns."""

    table: str
    row_id: UUID
    owner_id: UUID
    sealed: Mapping[str, bytes | None]


class VaultWork(Protocol):
    """A transaction on what is sealed; nothing else of a row is seen."""

    def canary(self, *, for_update: bool = False) -> bytes | None: ...

    def add_canary(self, sealed: bytes) -> None:
        """Unless there is one, also one that another process adds at this moment."""
        ...

    def replace_canary(self, sealed: bytes) -> None: ...

    def uses(self) -> list[KeyUse]:
        """Every key that anything is under."""
        ...

    def stale(
        self, table: str, key_id: str, *, after: UUID | None, limit: int, wait: bool
    ) -> list[SealedRow]:
        """The next rows by identifier with a secret under another key than this one, locked.

        Rows that others hold are left out, or waited for with ``wait``.
        """
        ...

    def replace(self, rows: Sequence[SealedRow]) -> None:
        """Write back rows of one table that ``stale`` has locked in this transaction."""
        ...

    def note(self, deed: AuditAction) -> None:
        """Leave an entry in the audit trail, in nobody's name."""
        ...


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """One key: whether the keyring holds it, whether it writes, and what is under it."""

    key_id: str
    held: bool
    writes: bool
    uses: tuple[KeyUse, ...]

    @property
    def lost(self) -> bool:
        """Whether secrets are under it that nobody can open."""
        return bool(self.uses) and not self.held

    def __str__(self) -> str:
        place = "writes" if self.writes else "reads" if self.held else "MISSING in the keyring"
        used = ", ".join(map(str, self.uses)) or "nothing is under it"
        return f"{self.key_id}  {place}: {used}"

    def as_json(self) -> dict[str, Any]:
        counts = {f"{use.table}.{use.column}": use.secrets for use in self.uses}
        return {"id": self.key_id, "held": self.held, "writes": self.writes, "secrets": counts}


def statuses(key_ids: Sequence[str], uses: Sequence[KeyUse]) -> list[KeyStatus]:
    """Every key that is held or used; those of the keyring first, in its order."""
    strange = sorted({use.key_id for use in uses} - set(key_ids))
    return [
        KeyStatus(
            key_id,
            held=key_id in key_ids,
            writes=key_id == key_ids[0] if key_ids else False,
            uses=tuple(use for use in uses if use.key_id == key_id),
        )
        for key_id in [*key_ids, *strange]
    ]


@dataclass(frozen=True, slots=True)
class RotationReport:
    """What a rotation did; ``unopened`` names places whose secret no key opens."""

    key_id: str
    rows: int
    unopened: tuple[str, ...]

    def __str__(self) -> str:
        done = f"{self.rows} rows were rewrapped; everything that opens is under {self.key_id} now."
        if not self.unopened:
            return done
        return f"{done} {len(self.unopened)} secrets did not open and stayed as they were."
