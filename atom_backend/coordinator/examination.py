"""One check under way: both stores compared while everybody goes on working.

A first look at everything finds the doubtful: PostgreSQL is read as one snapshot, then LanceDB,
so what is written meanwhile looks wrong. The doubtful, and only those, are looked at again, some
thousands at a time: entries, rows, entries once more; and after a pause a last time. Out of step is
what was wrong in both of these looks while PostgreSQL's records stayed as they were. That leaves
out what is in flight or was settled in between, and what a late worker adds and takes back again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from uuid import UUID

import numpy as np

from atom_backend.domain.census import (
    DUE,
    LEASED,
    NO_ENTRY,
    PARKED,
    Column,
    Table,
    as_uuids,
    touched,
    wanted,
)
from atom_backend.domain.comparison import VERDICT, Comparison, has
from atom_backend.domain.drift import EXAMPLES, Drift, DriftReport, Finding, Progress
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.errors import VectorStoreCorrupt

PAGE = 5_000
"""Items looked at again at once; the most that one look into LanceDB takes."""


class Examination:
    """``confirmed`` runs it, once; everything else is known after that.

    ``grace`` is the pause in seconds, ``highest_fence`` the highest that a row carries, and
    ``unusable_fences`` are those that no lease will ever outrank, with their items.
    """

    def __init__(
        self,
        transactions: Transactions,
        vectors: VectorStore,
        *,
        spec: str,
        grace: float,
        wait: Callable[[float], None],
        progress: Progress | None,
    ) -> None:
        self.highest_fence = 0
        self.unusable_fences: dict[int, set[UUID]] = {}
        self._transactions = transactions
        self._vectors = vectors
        self._spec = spec
        self._grace = grace
        self._wait = wait
        self._progress = progress
        self._done = self._expected = 0
        self._begun = time.monotonic()
        self._items = self._in_flight = self._parked = self._chunks = 0
        self._counts = dict.fromkeys(Drift, 0)
        self._examples: list[Finding] = []
        self._unreadable: list[str] = []

    def confirmed(self) -> Iterator[Table]:
        """Records of ``comparison.VERDICT`` about whatever is out of step, page by page.

        Ends early where LanceDB cannot be read; see ``report``.
        """
        try:
            yield from self._confirmed(self._survey())
        except VectorStoreCorrupt as error:
            self._give_up(error)

    def report(self) -> DriftReport:
        """What was found so far."""
        counts = {drift: number for drift, number in self._counts.items() if number}
        examples = self._examples
        if self._unreadable:
            counts = {Drift.CORRUPT: len(self._unreadable)}
            examples = [Finding(None, Drift.CORRUPT, said) for said in self._unreadable]
        return DriftReport(
            items=self._items,
            chunks=self._chunks,
            in_flight=self._in_flight,
            parked=self._parked,
            counts=counts,
            examples=tuple(examples),
            seconds=time.monotonic() - self._begun,
            unreadable=tuple(self._unreadable),
        )

    def _survey(self) -> Column:
        """The first look; the items that are doubtful after it."""
        self._expect(sum(self._vectors.sizes().values()))
        wanted = self._wanted(None)
        self._expect(len(wanted))
        self._advance(len(wanted))
        states = wanted["state"]
        self._items = int(np.count_nonzero(states != NO_ENTRY))
        self._in_flight = int(np.count_nonzero((states == DUE) | (states == LEASED)))
        self._parked = int(np.count_nonzero(states == PARKED))
        comparison = Comparison(wanted)
        for read in (self._read_marks, self._read_chunks):
            try:
                read(comparison, None)
            except VectorStoreCorrupt as error:
                self._give_up(error)
        self._chunks = comparison.chunks_read
        self._note_fences(comparison)
        doubtful: Column = comparison.verdicts()["item"]
        return doubtful[:0] if self._unreadable else doubtful

    def _confirmed(self, doubtful: Column) -> Iterator[Table]:
        self._expect(len(doubtful))
        wrong = [self._look(page)[1] for page in _pages(doubtful)]
        before = np.concatenate([np.empty(0, VERDICT), *wrong])
        if len(before):
            self._wait(self._grace)
        self._expect(len(before))
        for page in _pages(before["item"]):
            comparison, verdicts = self._look(page)
            same = np.isin(verdicts[["item", "fence"]], before[["item", "fence"]])
            self._note(comparison, verdicts[same])
            yield verdicts[same]

    def _look(self, items: Column) -> tuple[Comparison, Table]:
        """A few items exactly, but for those that are written while they are looked at."""
        among = as_uuids(items)
        before = self._wanted(among)
        comparison = Comparison(before)
        self._read_marks(comparison, among)
        self._read_chunks(comparison, among)
        self._note_fences(comparison)
        self._advance(len(items))
        return comparison, comparison.verdicts(touched(before, self._wanted(among)))

    def _wanted(self, among: Sequence[UUID] | None) -> Table:
        with self._transactions.census() as snapshot:
            return wanted(snapshot.entries(self._spec, among), snapshot.sources(among))

    def _read_marks(self, comparison: Comparison, among: Sequence[UUID] | None) -> None:
        for rows in self._vectors.mark_census(self._spec, among):
            comparison.add_marks(rows)
            self._advance(0 if among else len(rows.item))

    def _read_chunks(self, comparison: Comparison, among: Sequence[UUID] | None) -> None:
        for rows in self._vectors.chunk_census(self._spec, among):
            comparison.add_chunks(rows)
            self._advance(0 if among else len(rows.item))

    def _note_fences(self, comparison: Comparison) -> None:
        self.highest_fence = max(self.highest_fence, comparison.highest_fence)
        self.unusable_fences = comparison.unusable_fences

    def _note(self, comparison: Comparison, verdicts: Table) -> None:
        for drift in Drift:
            guilty = verdicts["item"][has(verdicts, drift)]
            room = EXAMPLES - min(EXAMPLES, self._counts[drift])
            self._counts[drift] += len(guilty)
            self._examples += [
                Finding(item_id, drift, comparison.describe(item_id))
                for item_id in as_uuids(guilty[:room])
            ]

    def _give_up(self, error: VectorStoreCorrupt) -> None:
        """Broken, unless it turns out not to be there any more."""
        with suppress(VectorStoreCorrupt):
            self._vectors.sizes()
        self._unreadable.append(
            f"{error.message} Run rebuild, which makes the tables anew from PostgreSQL."
        )

    def _expect(self, rows: int) -> None:
        self._expected += rows

    def _advance(self, rows: int) -> None:
        self._done += rows
        if self._progress is not None:
            self._progress(self._done, max(self._done, self._expected))


def _pages(items: Column) -> Iterator[Column]:
    for place in range(0, len(items), PAGE):
        yield items[place : place + PAGE]
