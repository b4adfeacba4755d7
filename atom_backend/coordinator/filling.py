"""Filling fresh tables, which nobody reads yet, from what PostgreSQL says.

Found by comparing and then written, so that it can be interrupted anywhere and simply begun again.
Rows carry the fence of a rebuild, which is lower than any lease's. Invariant: an item's old rows go
before its new ones come, and its processed row comes last; so nothing is there twice, and what has
a processed row is complete.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.census import Column, Table, as_column, as_uuids, wanted
from atom_backend.domain.comparison import Comparison, has
from atom_backend.domain.drift import Drift, Progress
from atom_backend.domain.generations import REBUILT
from atom_backend.domain.items import Projection, Source
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.domain.rebuilding import Lacking, count_chunks, needed, overtaken
from atom_backend.errors import AtomError, EmbedderUnavailable, StoredDataError

logger = logging.getLogger(__name__)

_MAINTAIN_AFTER = 64
"""Batches: each leaves a small file in either table, which would make the next comparison slow."""


def wanted_now(transactions: Transactions, spec: str) -> Table:
    """What PostgreSQL wants at this moment."""
    with transactions.census() as census:
        return wanted(census.entries(spec), census.sources())


class Filling:
    """The tables of one generation, while they are being built.

    ``progress`` is told of items, of those that were found lacking so far. ``written`` counts
    them; of those ``refused`` no projection can be made.
    """

    def __init__(
        self,
        transactions: Transactions,
        building: VectorStore,
        indexer: Indexer,
        *,
        batch: int,
        progress: Progress,
    ) -> None:
        self.written = 0
        self.refused: set[UUID] = set()
        self._transactions = transactions
        self._building = building
        self._indexer = indexer
        self._batch = batch
        self._progress = progress
        self._found = 0
        self._done = 0

    def census(self) -> Table:
        """What PostgreSQL wants at this moment."""
        return wanted_now(self._transactions, self._indexer.spec)

    def lacking(self, census: Table) -> Lacking:
        """What the tables lack of it. Raises VectorStoreCorrupt where they cannot be read."""
        chosen, spec = needed(census), self._indexer.spec
        for marks in self._building.mark_census(spec):
            count_chunks(chosen, marks)
        comparison = Comparison(chosen)
        for marks in self._building.mark_census(spec):
            comparison.add_marks(marks)
        for chunks in self._building.chunk_census(spec):
            comparison.add_chunks(chunks)
        verdicts = comparison.verdicts(as_column(list(self.refused)))
        absent = verdicts["known"] & has(verdicts, Drift.MISSING)
        return Lacking(verdicts["item"][~absent], verdicts["item"][verdicts["known"]])

    def overtaken(self, before: Table) -> Lacking:
        """What has been settled or deleted since that census, and may not be here."""
        return overtaken(before, self.census())

    def fill(self, lacking: Lacking) -> None:
        """Put it right. Raises DependencyError where a store or the model does not answer."""
        self._found += len(lacking.write)
        for batch in _batches(lacking.drop, self._batch):
            self._building.drop_items(batch)
        for number, batch in enumerate(_batches(lacking.write, self._batch), start=1):
            self._progress(self._done, self._found)
            self._write(batch)
            self._done += len(batch)
            if number % _MAINTAIN_AFTER == 0:
                self._building.maintain()
        self._progress(self._done, self._found)

    def _write(self, items: Sequence[UUID]) -> None:
        with self._transactions.worker() as work:
            sources = work.sources(items)
        projections = self._projections(list(sources.values()))
        if projections:
            self._building.add_chunks(projections, REBUILT)
            self._building.add_processed(projections, REBUILT)
        self.written += len(projections)

    def _projections(self, sources: Sequence[Source]) -> list[Projection]:
        """Of all of them, but for those of which none can be made."""
        try:
            return self._indexer.project(sources, _nothing)
        except (EmbedderUnavailable, StoredDataError) as error:
            if len(sources) == 1:
                self._refuse(sources[0].item_id, error)
                return []
        return [one for source in sources for one in self._projections([source])]

    def _refuse(self, item_id: UUID, error: AtomError) -> None:
        """Raises EmbedderUnavailable where it is not the item that is to blame."""
        self._indexer.require_model()
        logger.warning("item %s is left out: %s", item_id, error.message)
        self.refused.add(item_id)


def _batches(items: Column, size: int) -> Iterator[list[UUID]]:
    for place in range(0, len(items), size):
        yield as_uuids(items[place : place + size])


def _nothing() -> None:
    """No lease is to be kept alive."""
