"""Rebuilds on a stage, by processes that can be watched, paused and killed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from atom_backend.coordinator.check import Check
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.rebuild import Rebuild
from atom_backend.coordinator.repair import Repair
from atom_backend.domain.drift import Progress
from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import VectorStore
from atom_backend.domain.rebuilding import RebuildReport
from tests.deterministic import DIMENSION, BagOfWords, ParagraphChunker, Watch, indexer
from tests.integration.coordinator.stage import Stage
from tests.stores import open_generations, open_store
from tests.watching import (
    Announce,
    Killed,
    Moment,
    watched_generations,
    watched_transactions,
    watched_vectors,
)

HALF = DIMENSION // 2


class HalfOfWords(BagOfWords):
    """Another model: half as long, and not comparable."""

    dimension = HALF

    def __init__(self, watch: Watch | None = None) -> None:
        super().__init__(watch, fingerprint="half-of-words-1")

    def embed(self, texts: Sequence[str]) -> Vectors:
        whole = super().embed(texts)
        halves = whole[:, :HALF] + whole[:, HALF:]
        lengths = np.linalg.norm(halves, axis=1, keepdims=True)
        return np.asarray(halves / lengths, dtype=np.float32)


def half_indexer(watch: Watch | None = None) -> Indexer:
    return Indexer(ParagraphChunker(), HalfOfWords(watch))


def rebuild(
    stage: Stage,
    announce: Announce = lambda moment: None,
    *,
    watch: Watch | None = None,
    using: Indexer | None = None,
    dimension: int = DIMENSION,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RebuildReport:
    """A whole rebuild; ``announce`` hears every call of a port, ``watch`` what is embedded."""
    making = using or indexer(watch)
    transactions = watched_transactions(stage.transactions, announce)

    @contextmanager
    def building(number: int) -> Iterator[VectorStore]:
        with closing(open_store(stage.lance, dimension, building=number)) as store:
            yield watched_vectors(store, announce)

    with (
        closing(open_generations(stage.lance, dimension)) as generations,
        closing(open_store(stage.lance, dimension)) as vectors,
    ):
        check = Check(transactions, vectors, spec=lambda: making.spec, wait=lambda _: None)
        return Rebuild(
            transactions,
            vectors,
            making,
            Repair(transactions, vectors, check),
            generations=watched_generations(generations, announce),
            open_building=building,
            batch=2,
        ).run(dry_run=dry_run, progress=progress)


def rebuild_and_be_killed(stage: Stage, announce: Announce) -> None:
    with suppress(Killed):
        rebuild(stage, announce)


class AtOccurrence:
    """Does something at the n-th such moment."""

    def __init__(self, moment: Moment, number: int, act: Announce) -> None:
        self._moment = moment
        self._left = number
        self._act = act
        self.happened = False

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                self.happened = True
                self._act(moment)


def kill(moment: Moment) -> None:
    raise Killed


def contents(lance: Path, tables: Sequence[str]) -> dict[str, bytes]:
    """Every file of these tables."""
    return {
        path.relative_to(lance).as_posix(): path.read_bytes()
        for table in tables
        for path in (lance / f"{table}.lance").rglob("*")
        if path.is_file()
    }
