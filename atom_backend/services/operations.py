"""What an operator asks: how far the index is behind, what is parked, how large the stores are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain.consistency import ConsistencyRun, RunKind
from atom_backend.domain.index_state import IndexStatistics
from atom_backend.domain.ports import Transactions, VectorSearch
from atom_backend.errors import ConfigurationError, DependencyError, StoredDataError

_PARKED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot; ``vector_rows`` is ``None`` when LanceDB gives no answer that can be read.

    ``last_check`` and ``last_repair`` ended last, well or not.
    """

    index: IndexStatistics
    parked: tuple[tuple[UUID, str], ...]
    relational_rows: Mapping[str, int]
    vector_rows: Mapping[str, int] | None
    last_check: ConsistencyRun | None
    last_repair: ConsistencyRun | None


class Operations:
    """Read-only views of the running service."""

    def __init__(self, transactions: Transactions, vectors: VectorSearch) -> None:
        self._transactions = transactions
        self._vectors = vectors

    def statistics(self) -> IndexStatistics:
        with self._transactions.worker() as work:
            return work.index.statistics()

    def status(self) -> Status:
        with self._transactions.worker() as work:
            index = work.index.statistics()
            parked = tuple(work.index.parked(_PARKED_SHOWN))
            relational = work.sizes()
            last_check = work.consistency.last(RunKind.CHECK)
            last_repair = work.consistency.last(RunKind.REPAIR)
        try:
            vector_rows: Mapping[str, int] | None = self._vectors.sizes()
        except (DependencyError, StoredDataError, ConfigurationError):
            vector_rows = None
        return Status(index, parked, relational, vector_rows, last_check, last_repair)
