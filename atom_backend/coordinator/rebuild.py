"""Rebuild: LanceDB made anew from PostgreSQL in fresh tables, while searches and writes go on.

    begin: the next generation's tables  ->  fill them until nothing is lacking
    switch: confirmations wait; what was settled since is written too; the new generation is named
    accept: entries that the new tables satisfy  ->  repair: what is left

The tables of before are not touched. What was built so far is found again by the next run, so it
may be killed at any moment. Invariant: at the switch, whatever was settled is in the new tables;
and nothing that was written into the old ones can be confirmed after it (``generations``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from atom_backend.coordinator.acceptance import Acceptance
from atom_backend.coordinator.check import Repairing
from atom_backend.coordinator.filling import Filling, wanted_now
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.succession import Succession
from atom_backend.domain.census import Table
from atom_backend.domain.drift import Progress, RepairReport
from atom_backend.domain.generations import Generation
from atom_backend.domain.ports import Generations, Transactions, VectorStore
from atom_backend.domain.rebuilding import RebuildReport, needed, parked
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    DependencyError,
    VectorStoreCorrupt,
)

logger = logging.getLogger(__name__)

OpenBuilding = Callable[[int], AbstractContextManager[VectorStore]]
"""The vector store on a generation that is being built."""

_DUTY = "rebuild LanceDB"
_FEW = 64
"""Items that may be written while confirmations wait; twice as many at every further attempt."""
_MANY = 512
"""But not more than this, so that the wait stays within seconds."""


class Rebuild:
    """One process's way of making LanceDB anew. ``vectors``: the store as everyone sees it."""

    def __init__(
        self,
        transactions: Transactions,
        vectors: VectorStore,
        indexer: Indexer,
        repair: Repairing,
        *,
        generations: Generations,
        open_building: OpenBuilding,
        batch: int = 32,
    ) -> None:
        self._transactions = transactions
        self._generations = generations
        self._open_building = open_building
        self._succession = Succession(transactions, generations)
        self._acceptance = Acceptance(transactions, vectors, indexer)
        self._indexer = indexer
        self._repair = repair
        self._batch = batch

    def run(self, *, dry_run: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Rebuild, or say what a rebuild would do; ``progress`` is told of items.

        Raises DependencyError where something does not answer or another process rebuilds: run it
        again, and it goes on where it stopped. Raises VectorStoreUnavailable where the place
        belongs to another database.
        """
        with self._transactions.elected(_DUTY) as mine:
            if not mine:
                raise DependencyError("Another process is rebuilding LanceDB already.")
            return self._plan() if dry_run else self._rebuild(progress or _ignored)

    def _plan(self) -> RebuildReport:
        census = wanted_now(self._transactions, self._indexer.spec)
        return RebuildReport(
            self._succession.following().number, len(needed(census)), parked(census), dry_run=True
        )

    def _rebuild(self, progress: Progress) -> RebuildReport:
        begun = time.monotonic()
        successor = self._succession.begin()
        self._make(successor.number)
        try:
            filling = self._fill(successor, progress)
        except VectorStoreCorrupt as error:
            self._make_anew(successor.number, error)
            filling = self._fill(successor, progress)
        accepted = self._acceptance.run(successor)
        return RebuildReport(
            generation=successor.number,
            items=filling.written,
            parked=parked(filling.census()),
            refused=len(filling.refused),
            accepted=accepted,
            repair=self._repaired(),
            seconds=time.monotonic() - begun,
        )

    def _repaired(self) -> RepairReport | None:
        """What was deleted at the last moment, and what could not be made; None if that is under
        way in another process."""
        try:
            return self._repair.run()
        except DependencyError as error:
            if error.code != "repair_under_way":
                raise
            return None

    def _make(self, number: int) -> None:
        try:
            self._generations.make(number)
        except (ConfigurationError, VectorStoreCorrupt) as error:
            self._make_anew(number, error)

    def _make_anew(self, number: int, error: AtomError) -> None:
        """What a rebuild of another version or model left unfinished, or what is damaged."""
        logger.warning("the unfinished tables are made anew: %s", error.message)
        self._generations.discard(number)
        self._generations.make(number)

    def _fill(self, successor: Generation, progress: Progress) -> Filling:
        """Fill the tables and switch to them."""
        with self._open_building(successor.number) as building:
            filling = Filling(
                self._transactions, building, self._indexer, batch=self._batch, progress=progress
            )
            few = _FEW
            while True:
                census = filling.census()
                lacking = filling.lacking(census)
                filling.fill(lacking)
                building.maintain()
                complete = partial(_completed, filling, census, few)
                # What took long to write has been overtaken by as much: look again first.
                if len(lacking.write) <= few and self._succession.switch(successor, complete):
                    return filling
                few = min(2 * few, _MANY)


def _completed(filling: Filling, since: Table, few: int) -> bool:
    """Bring in what was settled since that census, unless it is too much to wait for."""
    late = filling.overtaken(since)
    if len(late.write) > few:
        return False
    filling.fill(late)
    return True


def _ignored(done: int, total: int) -> None:
    """Nobody watches."""
