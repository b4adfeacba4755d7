"""Who pays for a failure: an outage costs an item nothing but time, poison only the poisoned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np
import pytest

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.items import Vectors
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    DatabaseUnavailable,
    EmbedderUnavailable,
    RefusedVector,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from tests.deterministic import BagOfWords, ParagraphChunker, Watch, refuse_poison
from tests.integration.coordinator.stage import BACKOFF, Stage
from tests.making import a_document
from tests.watching import Killed, Moment

MANY = 3 * BACKOFF.max_attempts


class NotANumber(BagOfWords):
    """A model that gives NaN for what mentions poison, and does not notice."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        poisoned = np.asarray([["poison" in text] for text in texts])
        return np.where(poisoned, np.float32("nan"), super().embed(texts))


def fail(error: AtomError) -> Watch:
    def watch(_: Sequence[str]) -> None:
        raise error

    return watch


def fail_at(moment: Moment, error: AtomError) -> Callable[[Moment], None]:
    def announce(reached: Moment) -> None:
        if reached == moment:
            raise error

    return announce


class Fragile:
    """A model that does not answer to what mentions poison, nor to anything right after that."""

    def __init__(self, sick_for: int) -> None:
        self._sick_for = sick_for
        self._sick = 0

    def __call__(self, texts: Sequence[str]) -> None:
        if any("poison" in text for text in texts):
            self._sick = self._sick_for + 1
        if self._sick:
            self._sick -= 1
            raise EmbedderUnavailable("the model does not answer")


def break_down(_: Sequence[str]) -> None:
    raise RefusedVector("row 0 has length nan instead of 1")


def die_of_poison(texts: Sequence[str]) -> None:
    if any("poison" in text for text in texts):
        raise Killed


def waiting(stage: Stage, count: int = 5) -> list[UUID]:
    return [a_document(stage.transactions, stage.owner, f"Number {n}.").id for n in range(count)]


def test_an_outage_of_the_embedder_never_parks_anything(stage: Stage) -> None:
    items = waiting(stage)
    relay = stage.relay(fail(EmbedderUnavailable("the model's file is missing")))
    for _ in range(MANY):
        report = relay.run_once()
        assert (report.postponed, report.outage) == (5, "embedder_unavailable")
        stage.let_time_pass()
    for item_id in items:
        entry = stage.entry(item_id)
        assert (entry.state, entry.attempts) == ("due", 0)
        assert entry.reason == "the model's file is missing"
    assert stage.converge().settled == 5
    assert {stage.entry(item_id).reason for item_id in items} == {None}
    stage.assert_in_step()


def test_a_model_that_gives_nothing_of_use_for_anything_parks_nothing(stage: Stage) -> None:
    waiting(stage)
    for _ in range(MANY):
        assert stage.relay(break_down).run_once().postponed == 5
        stage.let_time_pass()
    assert stage.converge().settled == 5
    stage.assert_in_step()


@pytest.mark.parametrize("sick_for", [0, 1, 2])
def test_an_item_that_takes_the_model_down_is_parked_and_its_neighbours_are_indexed(
    stage: Stage, sick_for: int
) -> None:
    neighbours = waiting(stage, 3)
    deadly = a_document(stage.transactions, stage.owner, "Deadly poison.").id
    neighbours += waiting(stage, 3)
    relay = stage.relay(Fragile(sick_for))
    for _ in range(2 * MANY):
        relay.run_once()
        stage.let_time_pass()
    assert {stage.entry(item_id).state for item_id in neighbours} == {"settled"}
    assert stage.entry(deadly).reason == "gave up after 4 attempts: the model does not answer"
    stage.assert_in_step()


def test_after_an_outage_of_the_model_batches_are_as_large_as_before(stage: Stage) -> None:
    embedded: list[int] = []
    answering = False

    def watch(texts: Sequence[str]) -> None:
        if not answering:
            raise EmbedderUnavailable
        embedded.append(len(texts))

    relay = stage.relay(watch)
    waiting(stage, 3)
    relay.run_once()
    stage.let_time_pass()
    answering = True
    assert relay.run_once().settled == 3
    waiting(stage, 3)
    assert relay.run_once().settled == 3
    assert embedded[-1] == 3


def test_an_outage_of_the_store_during_a_careful_pass_costs_nobody_an_attempt(
    stage: Stage,
) -> None:
    items = waiting(stage, 3)
    tried: list[Moment] = []

    def announce(moment: Moment) -> None:
        tried.append(moment)
        if moment == ("before", "add_chunks"):
            raise VectorStoreUnavailable

    flickering = iter([True])

    def watch(_: Sequence[str]) -> None:
        if next(flickering, False):
            raise EmbedderUnavailable

    assert stage.relay(watch, announce).run_once().postponed == 3
    assert tried.count(("before", "add_chunks")) == 1
    assert {stage.entry(item_id).attempts for item_id in items} == {0}


@pytest.mark.parametrize("step", ["add_chunks", "drop_older"])
@pytest.mark.parametrize(
    "error", [VectorStoreUnavailable(), VectorStoreCorrupt(), ConfigurationError("two models")]
)
def test_a_vector_store_that_cannot_be_written_never_parks_anything(
    stage: Stage, step: str, error: AtomError
) -> None:
    items = waiting(stage, 2)
    relay = stage.relay(announce=fail_at(("before", step), error))
    for _ in range(BACKOFF.max_attempts + 1):
        assert relay.run_once().outage == error.code
        stage.let_time_pass()
    assert {stage.entry(item_id).attempts for item_id in items} == {0}
    assert stage.converge().settled == 2
    stage.assert_in_step()


@pytest.mark.parametrize("error", [VectorStoreUnavailable(), VectorStoreCorrupt()])
def test_a_deletion_waits_for_the_vector_store_as_long_as_it_takes(
    stage: Stage, error: AtomError
) -> None:
    (item_id,) = waiting(stage, 1)
    stage.converge()
    stage.documents.remove(stage.owner, item_id)
    relay = stage.relay(announce=fail_at(("before", "drop_items"), error))
    for _ in range(BACKOFF.max_attempts + 1):
        assert relay.run_once().postponed == 1
        stage.let_time_pass()
    assert stage.converge().removed == 1
    stage.assert_in_step()


def test_an_outage_of_postgresql_leaves_the_work_to_the_next_lease(stage: Stage) -> None:
    waiting(stage)
    relay = stage.relay(announce=fail_at(("before", "extend"), DatabaseUnavailable()))
    assert relay.run_once().outage == "postgresql_unavailable"
    stage.let_time_pass()
    relay = stage.relay(announce=fail_at(("before", "confirm"), DatabaseUnavailable()))
    assert relay.run_once().outage == "postgresql_unavailable"
    stage.let_time_pass()
    assert stage.converge().settled == 5
    stage.assert_in_step()


@pytest.mark.parametrize(
    "indexer",
    [
        Indexer(ParagraphChunker(), BagOfWords(refuse_poison)),
        Indexer(ParagraphChunker(), NotANumber()),
    ],
    ids=["refused by the embedder", "refused by the store"],
)
def test_a_poisoned_item_is_parked_alone(stage: Stage, indexer: Indexer) -> None:
    items = waiting(stage, 5)
    poisoned = a_document(stage.transactions, stage.owner, "Some poison.").id
    items += waiting(stage, 5)
    report = stage.relay(using=indexer).run_once()
    assert (report.leased, report.settled, report.parked) == (11, 10, 1)
    assert {stage.entry(item_id).state for item_id in items} == {"settled"}
    entry = stage.entry(poisoned)
    assert entry.state == "parked"
    assert entry.reason
    with stage.transactions.worker() as work:
        assert work.index.parked(10) == [(poisoned, entry.reason)]
    stage.assert_in_step()


def test_an_item_without_text_is_parked_with_that_reason(stage: Stage) -> None:
    blank = a_document(stage.transactions, stage.owner, " \n\n ")
    assert stage.converge().parked == 1
    assert stage.entry(blank.id).reason == "the item has no text to index"
    stage.assert_in_step()


def test_an_entry_whose_item_is_nowhere_is_parked_in_the_end(stage: Stage) -> None:
    (item_id,) = waiting(stage, 1)
    stage.sql("delete from items")
    for _ in range(BACKOFF.max_attempts + 1):
        stage.relay().run_once()
        stage.let_time_pass()
    assert stage.entry(item_id).reason == "gave up after 4 attempts: the item has no row"


def test_an_item_that_kills_its_worker_is_tried_alone_and_then_parked(stage: Stage) -> None:
    neighbours = waiting(stage)
    deadly = a_document(stage.transactions, stage.owner, "Deadly poison.").id
    deaths = 0
    while stage.entry(deadly).state != "parked":
        try:
            stage.relay(die_of_poison).run_once()
        except Killed:
            deaths += 1
            assert stage.entry(deadly).attempts == deaths
        stage.expire_leases()
    assert deaths == BACKOFF.max_attempts
    assert {stage.entry(item_id).state for item_id in neighbours} == {"settled"}
    assert stage.entry(deadly).reason == "gave up after 4 attempts: the worker did not finish"
    stage.assert_in_step()


def test_the_last_attempt_is_made_with_no_other_suspect(stage: Stage) -> None:
    waiting(stage, 3)
    stage.sql("update index_entries set attempts = :last", last=BACKOFF.max_attempts - 1)
    assert [stage.relay().run_once().leased for _ in range(4)] == [1, 1, 1, 0]
    stage.assert_in_step()


def test_a_parked_item_is_indexed_once_it_is_rewritten(stage: Stage) -> None:
    poisoned = a_document(stage.transactions, stage.owner, "Some poison.")
    stage.converge(stage.relay(refuse_poison))
    stage.documents.change(stage.owner, poisoned.id, {"text": "Harmless."})
    assert stage.converge(stage.relay(refuse_poison)).settled == 1
    stage.assert_in_step()
