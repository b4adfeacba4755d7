"""PostgreSQL and LanceDB agree which store is meant, and which generation of its tables.

Invariants: a store is made only for a database in which nothing was ever indexed, so that one that
is lost or not mounted is reported and never replaced by a hollow one (I6); the store of another
database is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.generations import Generation, Pointer, agreed, require_own
from atom_backend.domain.ports import Generations, Transactions
from atom_backend.errors import ConfigurationError, DependencyError, VectorStoreUnavailable

_ASK_AGAIN_SECONDS = 1.0


class Agreement:
    """Prepares the store at the start, and puts right what an interruption left behind."""

    def __init__(self, transactions: Transactions, generations: Generations) -> None:
        self._transactions = transactions
        self._generations = generations

    def prepare(self) -> str:
        """Make the store where there may be none yet, and what its tables lack; a sentence.

        The caller holds a lock. Raises VectorStoreUnavailable where there should be a store that
        is not there, ConfigurationError where there is one that cannot be this database's.
        """
        with self._transactions.worker() as work:
            recorded, in_use = work.store.read(), work.store.in_use()
        pointer = self._generations.pointer()
        if pointer is None:
            made = self._make(recorded, in_use)
        else:
            if recorded is None:
                self._adopt(pointer)
            self.reach()
            made = self._complete(in_use)
        return f"LanceDB: {'made ' + ', '.join(made) if made else 'nothing to do'}."

    def reach(self) -> str:
        """Make the record and the pointer name the same generation; a sentence.

        Raises VectorStoreUnavailable where the pointer is another store's.
        """
        if self._settled():
            return "The tables are the current ones."
        with self._transactions.worker() as work:
            # Whoever switches holds this lock, so that nothing is half done in what is read here.
            recorded, pointer = work.store.locked(), self._generations.pointer()
            if recorded is None or pointer is None:
                return "There is no store to agree on yet."
            generation = agreed(recorded, pointer)
            if generation is None:
                return "The first tables are still being rebuilt."
            if generation != recorded:
                work.store.write(generation)
            elif generation.number != pointer.active:
                self._generations.point(pointer.switched(generation.number))
        return f"Generation {generation.number} of the tables is the current one now."

    def _settled(self) -> bool:
        """Without a lock; right away after a switch it may be wrong, and is asked again."""
        with self._transactions.worker() as work:
            recorded = work.store.read()
        pointer = self._generations.pointer()
        if recorded is None or pointer is None:
            return False
        require_own(recorded.store, pointer)
        return recorded.number == pointer.active

    def _make(self, recorded: Generation | None, in_use: bool) -> list[str]:
        generation = recorded or Generation(new_id(), 1)
        if in_use:
            raise VectorStoreUnavailable(
                "There is no LanceDB store, although items were indexed: mount it if its disk is "
                "not mounted, or run the command rebuild if it is lost."
            )
        self._require_unused(generation.number)
        made = self._generations.make(generation.number)
        self._generations.point(Pointer(generation.store, generation.number))
        self._record(generation)
        return made

    def _adopt(self, pointer: Pointer) -> None:
        """Left behind by a first start that was interrupted; or else not this database's."""
        number = 1 if pointer.active is None else pointer.active
        self._require_unused(number)
        self._record(Generation(pointer.store, number))

    def _require_unused(self, number: int) -> None:
        if not self._generations.empty(number):
            raise ConfigurationError(
                "The tables at LANCEDB_URI hold rows of another database, or of this one before "
                "it was reset: point LANCEDB_URI to an empty place, or empty this one."
            )

    def _complete(self, in_use: bool) -> list[str]:
        pointer = self._generations.pointer()
        if pointer is None or pointer.active is None:
            raise VectorStoreUnavailable(
                "The tables of LanceDB are being rebuilt: wait for that, or run rebuild again."
            )
        if in_use:
            return self._generations.complete(pointer.active)
        return self._generations.make(pointer.active)

    def _record(self, generation: Generation) -> None:
        with self._transactions.worker() as work:
            work.store.write(generation)


class StoreIdentity:
    """The id that the store must have: asked of PostgreSQL until it is known, for it never changes.

    None while PostgreSQL does not say; then nothing keeps searches from the store that is there.
    """

    def __init__(
        self, transactions: Transactions, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._transactions = transactions
        self._monotonic = monotonic
        self._known: UUID | None = None
        self._ask_at = float("-inf")

    def __call__(self) -> UUID | None:
        if self._known is None and self._monotonic() >= self._ask_at:
            self._ask_at = self._monotonic() + _ASK_AGAIN_SECONDS
            with suppress(DependencyError), self._transactions.worker() as work:
                recorded = work.store.read()
                self._known = recorded.store if recorded else None
        return self._known
