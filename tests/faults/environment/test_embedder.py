"""The embedding model hangs, or gives what is no vector (I1, I2, I5, I6).

Nothing of it is stored or answered; documents wait, and none is parked, because none is to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from uuid import UUID

import numpy as np
import pytest

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import Embedder
from atom_backend.domain.search import Degraded, Leg, SearchMode
from atom_backend.embedding.checked import check_vectors
from atom_backend.guards.timed_embedder import TimedEmbedder
from tests.deterministic import BagOfWords, ParagraphChunker
from tests.integration.coordinator.conftest import empty_tables, stage
from tests.integration.coordinator.stage import BACKOFF, Stage
from tests.integration.services.searching import ask, fill, found
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document

__all__ = ["empty_tables", "stage"]

PATIENCE = 30.0
MANY = 2 * BACKOFF.max_attempts

NONSENSE: dict[str, Callable[[Vectors], Vectors]] = {
    "NaN": lambda vectors: np.full_like(vectors, np.nan),
    "infinite": lambda vectors: np.full_like(vectors, np.inf),
    "zero": np.zeros_like,
    "one of many is zero": lambda vectors: np.vstack([np.zeros_like(vectors[:1]), vectors[1:]]),
    "too long": lambda vectors: np.hstack([vectors, vectors]),
    "too few": lambda vectors: vectors[1:],
    "of another length": lambda vectors: vectors * 2,
}


class Distorted(BagOfWords):
    """A model whose answers are distorted before they come to the gate of every real one."""

    def __init__(self, distort: Callable[[Vectors], Vectors]) -> None:
        super().__init__()
        self._distort = distort

    def embed(self, texts: Sequence[str]) -> Vectors:
        return check_vectors(self._distort(super().embed(texts)), len(texts), self.dimension)


class Hanging:
    """To be watched with: holds every call until it is released."""

    def __init__(self) -> None:
        self.released = Event()

    def __call__(self, _: Sequence[str]) -> None:
        assert self.released.wait(PATIENCE)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.released.set()


def documents(stage: Stage) -> set[UUID]:
    fill(stage, ["Indexed before, about the moon."])
    return {
        a_document(stage.transactions, stage.owner, f"Tide {number}.\n\nMoon {number}.").id
        for number in range(3)
    }


def using(model: Embedder) -> Indexer:
    return Indexer(ParagraphChunker(), model)


def assert_waiting(stage: Stage, items: set[UUID], reason: str) -> None:
    for item_id in items:
        entry = stage.entry(item_id)
        assert (entry.state, entry.attempts) == ("due", 0)
        assert reason in entry.reason
        assert stage.rows(CHUNKS, item_id) == stage.rows(PROCESSED, item_id) == []


@pytest.mark.parametrize("distort", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_vector_is_neither_stored_nor_searched_with(
    stage: Stage, distort: Callable[[Vectors], Vectors]
) -> None:
    items = documents(stage)
    relay = stage.relay(using=using(Distorted(distort)))
    for _ in range(MANY):
        report = relay.run_once()
        assert (report.outage, report.settled, report.parked) == ("embedder_unavailable", 0, 0)
        stage.let_time_pass()
    assert_waiting(stage, items, "The model is broken")
    for mode in SearchMode:
        answer = ask(stage, "moon", mode=mode, embedder=Distorted(distort))
        assert answer.legs == (Leg.TEXT,)
        assert answer.degraded == (() if mode is SearchMode.TEXT else (Degraded.EMBEDDER,))
        assert len(found(answer)) == 1
    stage.converge()
    stage.assert_in_step()


def test_a_worker_whose_model_hangs_gives_back_what_it_had_leased(
    stage: Stage, hanging: Hanging
) -> None:
    items = documents(stage)
    relay = stage.relay(using=using(TimedEmbedder(BagOfWords(hanging), deadline=0.02)))
    for _ in range(MANY):
        assert relay.run_once().outage == "embedder_unavailable"
        assert_waiting(stage, items, "The embedding model")
        stage.let_time_pass()
    assert stage.converge().settled == len(items)
    stage.assert_in_step()


def test_a_late_answer_of_a_model_that_hung_changes_nothing(stage: Stage, hanging: Hanging) -> None:
    documents(stage)
    relay = stage.relay(using=using(TimedEmbedder(BagOfWords(hanging), deadline=0.02)))
    relay.run_once()
    hanging.released.set()
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()
