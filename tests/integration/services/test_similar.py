"""Which items are similar to one, and which must never be (I4, I6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import lancedb
import pytest

from atom_backend.clock import new_id
from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.domain.search import SearchFilter
from atom_backend.domain.similar import SimilarAnswer, SimilarRequest
from atom_backend.errors import (
    AtomError,
    Conflict,
    DatabaseUnavailable,
    NotFound,
    Unauthenticated,
    VectorStoreUnavailable,
)
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.records import RecordService
from atom_backend.services.similar import SimilarItems
from tests.deterministic import refuse_poison
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import fill, overwrite_manifests
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document, a_user


def similar(
    stage: Stage,
    item_id: UUID,
    *,
    by: Principal | None = None,
    transactions: Transactions | None = None,
    **request: Any,
) -> SimilarAnswer:
    service = SimilarItems(transactions or stage.transactions, stage.vectors)
    return service.similar(by or stage.owner, item_id, SimilarRequest(**request))


def found(answer: SimilarAnswer) -> list[UUID]:
    return [one.stored.id for one in answer.results]


def refused(stage: Stage, item_id: UUID, **asked: Any) -> AtomError:
    with pytest.raises(AtomError) as error:
        similar(stage, item_id, **asked)
    return error.value


def test_the_nearest_item_of_any_kind_comes_first_and_never_the_item_itself(stage: Stage) -> None:
    task = RecordService(stage.transactions).create(
        stage.owner, TASKS, {"title": "Note", "notes": "tides follow the moon"}
    )
    assert isinstance(task, Record)
    seed, far = fill(stage, ["tides follow the moon today", "mountains stand still"])
    answer = similar(stage, seed)
    assert found(answer) == [task.id, far]
    nearest, farther = answer.results
    assert (nearest.kind, nearest.stale, answer.stale) == (Kind.TASK, False, False)
    assert nearest.stored == RecordService(stage.transactions).get(stage.owner, TASKS, task.id)
    assert 1 >= nearest.score > farther.score
    assert found(similar(stage, task.id)) == [seed, far]
    assert found(similar(stage, seed, kinds=frozenset({Kind.DOCUMENT}))) == [far]
    assert found(similar(stage, seed, limit=1)) == [task.id]
    assert found(similar(stage, seed, min_score=nearest.score)) == [task.id]


def test_items_are_compared_as_wholes_and_not_by_their_best_passage(stage: Stage) -> None:
    seed, partly, wholly = fill(
        stage,
        [
            "tides moon\n\nrivers lakes",
            "tides moon\n\nengines wheels\n\nbread butter\n\nsnow ice",
            "moon tides lakes\n\nrivers",
        ],
    )
    assert found(similar(stage, seed)) == [wholly, partly]


def test_nothing_foreign_is_similar_and_nothing_is_similar_to_what_is_foreign(
    stage: Stage,
) -> None:
    stranger = a_user(stage.transactions)
    (own,) = fill(stage, ["tides"], tags=("sea",))
    foreign, other = fill(stage, ["tides", "tides"], stranger, tags=("sea",))
    for conditions in (SearchFilter(), SearchFilter(tags=("sea",))):
        assert found(similar(stage, own, filter=conditions)) == []
        assert found(similar(stage, foreign, by=stranger, filter=conditions)) == [other]
    for unknown in (foreign, new_id()):
        assert isinstance(refused(stage, unknown), NotFound)


def test_what_is_deleted_is_not_similar_while_lancedb_still_holds_it(stage: Stage) -> None:
    seed, *others = fill(stage, ["tides"] * 60)
    for gone in sorted(others)[:58]:
        stage.documents.remove(stage.owner, gone)
    assert stage.rows(PROCESSED, min(others))
    assert found(similar(stage, seed, limit=1)) == [max(others)]
    stage.documents.remove(stage.owner, seed)
    assert isinstance(refused(stage, seed), NotFound)


@pytest.mark.parametrize("many", [False, True])
def test_a_filter_holds_however_many_items_satisfy_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    if many:
        monkeypatch.setattr("atom_backend.services.similar.MOST_NARROWED", 2)
    seed, *_ = fill(stage, ["tides"] * 20)
    tagged = fill(stage, ["mountains stand", "mountains", "rivers"], tags=("land",))
    answer = similar(stage, seed, filter=SearchFilter(tags=("land",)))
    assert sorted(found(answer)) == sorted(tagged)
    assert found(similar(stage, seed, filter=SearchFilter(source="nobody"))) == []


def test_an_item_that_is_not_indexed_yet_is_refused_and_not_without_likes(stage: Stage) -> None:
    fill(stage, ["tides"])
    document = a_document(stage.transactions, stage.owner, "tides")
    error = refused(stage, document.id)
    assert isinstance(error, Conflict)
    assert (error.code, "not indexed yet" in error.message) == ("not_indexed", True)
    stage.converge()
    assert len(found(similar(stage, document.id))) == 1


def test_an_item_that_could_not_be_indexed_is_refused_with_the_reason(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, "poison")
    for _ in range(5):
        stage.relay(watch=refuse_poison).run_once()
        stage.let_time_pass()
    reason = stage.entry(document.id).reason
    error = refused(stage, document.id)
    assert (error.code, error.message.endswith(reason)) == ("not_indexed", True)


def test_whatever_is_compared_by_an_older_text_is_called_stale(stage: Stage) -> None:
    seed, rewritten = fill(stage, ["tides", "tides moon"])
    stage.documents.change(stage.owner, rewritten, {"text": "mountains"})
    answer = similar(stage, seed)
    assert (answer.stale, [one.stale for one in answer.results]) == (False, [True])
    answer = similar(stage, rewritten)
    assert (answer.stale, [one.stale for one in answer.results]) == (True, [False])
    stage.converge()
    answer = similar(stage, rewritten)
    assert (answer.stale, [one.stale for one in answer.results]) == (False, [False])


@pytest.mark.parametrize("how", ["gone", "damaged", "emptied"])
def test_without_lancedb_there_is_no_answer(stage: Stage, how: str) -> None:
    seed, _ = fill(stage, ["tides", "tides"])
    if how == "gone":
        stage.lance.rename(stage.lance.with_name("hidden"))
    elif how == "damaged":
        overwrite_manifests(stage.lance, b"garbage" * 100)
    else:
        for table in (CHUNKS, PROCESSED):
            lancedb.connect(stage.lance).open_table(table).delete("true")
    assert isinstance(refused(stage, seed), VectorStoreUnavailable)


def test_without_postgresql_there_is_no_answer(stage: Stage) -> None:
    seed, _ = fill(stage, ["tides", "tides"])
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    error = refused(stage, seed, transactions=PostgresTransactions(engine))
    assert isinstance(error, DatabaseUnavailable)
    engine.dispose()


def test_a_session_that_has_ended_learns_nothing(stage: Stage) -> None:
    (seed,) = fill(stage, ["tides"])
    ended = replace(stage.owner, session_id=new_id())
    assert isinstance(refused(stage, seed, by=ended), Unauthenticated)
