"""Bringing a leased batch into the vector store, and confirming it in PostgreSQL.

The order is what makes every interruption harmless:

    held? -> add chunks -> add processed rows -> drop what is older -> confirm by compare-and-set

All of it goes into one generation of the tables, and is confirmed only while that is the current
one: what a rebuild overtook is done again.

Until the confirmation an entry stays due, so a worker that dies anywhere is followed by another
whose fence is higher; that one's rows replace the dead one's. A worker that wakes up late learns
from the confirmation that its fence is not current any more, and takes back what it added. Rows
are only ever dropped below the own fence, so an older write never removes a newer one (I8).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.tenure import Tenure
from atom_backend.domain.generations import Generation
from atom_backend.domain.index_state import Confirmation
from atom_backend.domain.items import Projection, Source
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.domain.worker_work import WorkerWork
from atom_backend.errors import VectorStoreUnavailable


class Convergence:
    """Makes LanceDB hold what PostgreSQL says, for items that are leased."""

    def __init__(self, transactions: Transactions, vectors: VectorStore, indexer: Indexer) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._indexer = indexer

    def project(self, sources: Sequence[Source], tenure: Tenure) -> int:
        """Index the sources; the number that was confirmed.

        Items that were written or deleted meanwhile are given back, and left to the next lease.
        """
        projections = self._indexer.project(sources, tenure.keep)
        tables = self._vectors.generation()
        held = tenure.confirm_held()
        wanted = [one for one in projections if one.item_id in held]
        if len(wanted) < len(projections):
            tenure.release([one.item_id for one in projections if one.item_id not in held])
        if not wanted:
            return 0
        self._vectors.add_chunks(wanted, tenure.fence, into=tables)
        self._vectors.add_processed(wanted, tenure.fence, into=tables)
        self._vectors.drop_older([one.item_id for one in wanted], tenure.fence, into=tables)
        return self._confirm(wanted, tenure.fence, tables)

    def require_model(self) -> None:
        """Raises EmbedderUnavailable where the model is of no use for any text."""
        self._indexer.require_model()

    def remove(self, tombstones: Sequence[UUID], tenure: Tenure) -> int:
        """Empty the vector store of these items; the number of tombstones that were purged."""
        tables = self._vectors.generation()
        self._vectors.drop_items(tombstones)
        remaining = self._vectors.holding(tombstones)
        gone = [item_id for item_id in tombstones if item_id not in remaining]
        with self._transactions.worker() as work:
            _hold(work, tables)
            return len(work.index.purge(gone, tenure.fence))

    def _confirm(self, written: Sequence[Projection], fence: int, tables: Generation) -> int:
        confirmations = [
            Confirmation(one.item_id, one.revision, one.spec, len(one.chunks)) for one in written
        ]
        with self._transactions.worker() as work:
            _hold(work, tables)
            confirmed = work.index.confirm(confirmations, fence)
        lost = [one.item_id for one in written if one.item_id not in confirmed]
        if lost:
            self._vectors.drop_fence(lost, fence)
        return len(confirmed)


def _hold(work: WorkerWork, tables: Generation) -> None:
    """Raise VectorStoreUnavailable once others than these tables are the current ones.

    What was written into tables that a rebuild has since replaced must not be confirmed: it would
    count as done, and not be found. The generation was read before the first write, and PostgreSQL
    names a new one before any write can reach it, so equal means that every write went into it.
    """
    if not work.store.hold(tables):
        raise VectorStoreUnavailable("The tables of LanceDB have been exchanged meanwhile.")
