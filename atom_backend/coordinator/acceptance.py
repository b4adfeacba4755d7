"""Entries that fresh tables satisfy need no worker: they are settled as they are.

After a rebuild under another model or chunker, every entry still says the old index spec, and
writes that waited for LanceDB have been brought in by the rebuild; without this, workers would
embed all of it a second time. Invariant: an entry is settled only at the revision that the current
tables hold, and only if nobody has leased or rewritten it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.census import as_uuid, wanted
from atom_backend.domain.generations import Generation
from atom_backend.domain.index_state import Confirmation
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.domain.rebuilding import acceptable, unaccepted
from atom_backend.errors import VectorStoreUnavailable

_AT_ONCE = 2_000
_PATIENCE = 10.0
_PAUSE = 0.1


class Acceptance:
    """Compares the processed rows of the current tables with the entries."""

    def __init__(
        self,
        transactions: Transactions,
        vectors: VectorStore,
        indexer: Indexer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._indexer = indexer
        self._monotonic = monotonic
        self._sleep = sleep

    def run(self, generation: Generation) -> int:
        """Settle what this generation, which is the current one, holds; how many entries.

        Raises VectorStoreUnavailable where another one is, or where it stays out of sight.
        """
        self._see(generation)
        spec = self._indexer.spec
        with self._transactions.census() as census:
            entries = unaccepted(wanted(census.entries(spec), census.sources()))
        accepted = 0
        for marks in self._vectors.mark_census(spec) if len(entries) else ():
            confirmations = [
                Confirmation(as_uuid(item), int(revision), spec, int(count))
                for item, revision, count in acceptable(entries, marks)
            ]
            for place in range(0, len(confirmations), _AT_ONCE):
                accepted += self._accept(confirmations[place : place + _AT_ONCE], generation)
        return accepted

    def _accept(self, confirmations: Sequence[Confirmation], generation: Generation) -> int:
        with self._transactions.worker() as work:
            if not work.store.hold(generation):
                raise VectorStoreUnavailable("The tables of LanceDB have been exchanged again.")
            return work.store.accept(confirmations)

    def _see(self, generation: Generation) -> None:
        """An object store's pointer is remembered for a second: wait until this process sees it."""
        until = self._monotonic() + _PATIENCE
        while self._vectors.generation() != generation:
            if self._monotonic() > until:
                raise VectorStoreUnavailable("The tables of LanceDB have been exchanged again.")
            self._sleep(_PAUSE)
