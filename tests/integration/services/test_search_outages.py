"""When a part is down, the rest answers and says so (I6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from atom_backend.domain.items import Kind
from atom_backend.domain.resources.memories import MEMORIES
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.domain.search import Degraded, Leg, SearchFilter, SearchMode
from atom_backend.errors import AtomError, EmbedderUnavailable, RefusedVector
from atom_backend.services.records import RecordService
from tests.deterministic import BagOfWords
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import MODES, ask, fill, found, overwrite_manifests
from tests.making import a_document, a_user

every_mode = pytest.mark.parametrize("mode", MODES)


def broken(error: AtomError) -> BagOfWords:
    def fail(_: Sequence[str]) -> None:
        raise error

    return BagOfWords(fail)


@pytest.fixture
def two(stage: Stage) -> Stage:
    fill(stage, ["tides and moon", "mountains"])
    return stage


@every_mode
def test_without_lancedb_postgresql_answers(two: Stage, mode: SearchMode) -> None:
    expected = found(ask(two, "moon", mode=SearchMode.TEXT))
    hidden = two.lance.rename(two.lance.with_name("hidden"))
    fresh = a_document(two.transactions, two.owner, "The moon was written just now.")
    answer = ask(two, "moon", mode=mode)
    assert answer.legs == (Leg.POSTGRESQL,)
    assert answer.degraded == (Degraded.LANCEDB,)
    assert set(found(answer)) == {*expected, fresh.id}
    for result in answer.results:
        (passage,) = result.passages
        assert passage.text is not None
        assert "moon" in passage.text
    hidden.rename(two.lance)
    answer = ask(two, "moon", mode=mode)
    assert (answer.degraded, Leg.POSTGRESQL in answer.legs) == ((), False)


def test_without_lancedb_every_kind_is_found_and_only_those_asked_for(stage: Stage) -> None:
    records = RecordService(stage.transactions)
    due = datetime(2030, 1, 1, tzinfo=UTC)
    given = {"title": "Photograph the moon", "due_at": due}
    task = records.create(stage.owner, TASKS, given)
    memory = records.create(stage.owner, MEMORIES, {"text": "Sleeps badly at full moon."})
    assert isinstance(task, Record)
    assert isinstance(memory, Record)
    document = a_document(stage.transactions, stage.owner, "tides and moon")
    stage.converge()
    records.create(a_user(stage.transactions), TASKS, given)
    stage.lance.rename(stage.lance.with_name("hidden"))
    by_kind = {result.kind: result.stored for result in ask(stage, "moon").results}
    assert by_kind == {
        Kind.TASK: records.get(stage.owner, TASKS, task.id),
        Kind.MEMORY: records.get(stage.owner, MEMORIES, memory.id),
        Kind.DOCUMENT: stage.documents.get(stage.owner, document.id),
    }
    assert found(ask(stage, "moon", kinds=frozenset({Kind.TASK}))) == [task.id]
    later = SearchFilter(happens_after=due)
    assert found(ask(stage, "moon", filter=later)) == [task.id]
    records.remove(stage.owner, TASKS, task.id)
    assert task.id not in found(ask(stage, "moon"))


@pytest.mark.parametrize("content", [bytes(100), b"garbage" * 100], ids=["zeroed", "overwritten"])
def test_a_damaged_lancedb_is_like_none(two: Stage, content: bytes) -> None:
    overwrite_manifests(two.lance, content)
    answer = ask(two, "moon")
    assert (answer.legs, answer.degraded) == ((Leg.POSTGRESQL,), (Degraded.LANCEDB,))
    assert len(answer.results) == 1


def test_without_lancedb_nothing_deleted_or_foreign_is_found(two: Stage) -> None:
    fill(two, ["moon"], a_user(two.transactions))
    (gone,) = found(ask(two, "moon", mode=SearchMode.TEXT))
    two.documents.remove(two.owner, gone)
    two.lance.rename(two.lance.with_name("hidden"))
    assert ask(two, "moon").results == ()


def test_without_lancedb_filters_lowest_scores_and_pages_still_hold(stage: Stage) -> None:
    items = fill(stage, [f"moon {'sun ' * number}" for number in range(7)], tags=("sky",))
    fill(stage, ["moon"])
    stage.lance.rename(stage.lance.with_name("hidden"))
    sky = SearchFilter(tags=("sky",))
    first = ask(stage, "moon", filter=sky, limit=4)
    second = ask(stage, "moon", filter=sky, limit=4, offset=4)
    assert (first.next_offset, second.next_offset) == (4, None)
    walked = [*found(first), *found(second)]
    assert sorted(walked) == sorted(items)
    lowest = first.results[2].score
    best = ask(stage, "moon", filter=sky, limit=9, min_score=lowest)
    assert {one.score for one in best.results} == {
        one.score for one in first.results if one.score >= lowest
    }


@every_mode
@pytest.mark.parametrize("error", [EmbedderUnavailable(), RefusedVector()])
def test_without_the_embedder_words_are_found(
    two: Stage, mode: SearchMode, error: AtomError
) -> None:
    answer = ask(two, "moon", mode=mode, embedder=broken(error))
    assert answer.legs == (Leg.TEXT,)
    assert answer.degraded == (() if mode is SearchMode.TEXT else (Degraded.EMBEDDER,))
    assert len(answer.results) == 1


def test_without_both_postgresql_answers_and_names_both(two: Stage) -> None:
    two.lance.rename(two.lance.with_name("hidden"))
    answer = ask(two, "moon", embedder=broken(EmbedderUnavailable()))
    assert answer.legs == (Leg.POSTGRESQL,)
    assert answer.degraded == (Degraded.EMBEDDER, Degraded.LANCEDB)
    assert len(answer.results) == 1


def test_what_is_written_during_an_outage_is_found_by_meaning_after_it(two: Stage) -> None:
    hidden = two.lance.rename(two.lance.with_name("hidden"))
    (item_id,) = found(ask(two, "moon"))
    two.documents.change(two.owner, item_id, {"text": "planets and stars"})
    assert two.relay().run_once().outage == "lancedb_unavailable"
    hidden.rename(two.lance)
    two.let_time_pass()
    two.converge()
    assert found(ask(two, "planets stars", mode=SearchMode.VECTOR))[0] == item_id
    two.assert_in_step()
