"""How one generation of tables follows another: numbered, announced, recorded, named.

Invariants: tables that a search may read are never those that are being built; between the last
look at what is settled and the switch, nothing is confirmed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from atom_backend.clock import new_id
from atom_backend.coordinator.agreement import Agreement
from atom_backend.domain.generations import Generation, Pointer, require_own
from atom_backend.domain.ports import Generations, Transactions
from atom_backend.domain.worker_work import WorkerWork
from atom_backend.errors import ConfigurationError, VectorStoreCorrupt, VectorStoreUnavailable

logger = logging.getLogger(__name__)


class Succession:
    """The pointer and the record during a rebuild; the caller is the only one who rebuilds."""

    def __init__(self, transactions: Transactions, generations: Generations) -> None:
        self._transactions = transactions
        self._generations = generations

    def following(self) -> Generation:
        """The generation that a rebuild would build: an unfinished one, or a new one.

        Raises VectorStoreUnavailable where the place holds the store of another database.
        """
        with self._transactions.worker() as work:
            recorded = work.store.read()
        return self._following(recorded or Generation(new_id(), 1), self._pointer())

    def begin(self) -> Generation:
        """The same, and from now on the one that is being built."""
        pointer = self._pointer()
        if pointer is not None and pointer.ready:
            Agreement(self._transactions, self._generations).reach()
        with self._transactions.worker() as work:
            recorded, pointer = work.store.locked(), self._pointer()
            if recorded is None:
                recorded = self._register(work, pointer)
            following = self._following(recorded, pointer)
            present = pointer or Pointer(recorded.store, None)
            self._generations.point(replace(present, building=following.number, ready=False))
        return following

    def switch(self, successor: Generation, complete: Callable[[], bool]) -> bool:
        """Make it the current one if it is ``complete``, asked while nothing can be confirmed.

        ``complete`` may write what is lacking; it has less time than a transaction may be idle.
        """
        with self._transactions.worker() as work:
            work.store.locked()
            if not complete():
                return False
            pointer = self._pointer()
            if pointer is None or pointer.building != successor.number:
                raise VectorStoreUnavailable("The tables are not the ones being built any more.")
            self._generations.point(pointer.announcing())
            work.store.write(successor)
        Agreement(self._transactions, self._generations).reach()
        return True

    def _following(self, recorded: Generation, pointer: Pointer | None) -> Generation:
        if pointer is None:
            pointer = Pointer(recorded.store, None)
        require_own(recorded.store, pointer)
        if pointer.building is not None:
            return Generation(recorded.store, pointer.building)
        taken = {recorded.number, pointer.active or 0, *self._generations.numbers()}
        return Generation(recorded.store, max(taken) + 1)

    def _register(self, work: WorkerWork, pointer: Pointer | None) -> Generation:
        if pointer is not None:
            raise ConfigurationError(
                "PostgreSQL does not know this LanceDB store: run migrate first."
            )
        recorded = Generation(new_id(), 1)
        work.store.write(recorded)
        return recorded

    def _pointer(self) -> Pointer | None:
        """A damaged one names nothing that could be kept."""
        try:
            return self._generations.pointer()
        except VectorStoreCorrupt as error:
            logger.warning("starting from nothing: %s", error.message)
            return None
