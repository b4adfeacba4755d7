"""When PostgreSQL is down, LanceDB alone answers: the caller's own items, marked as unchecked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from atom_backend.domain.items import Kind
from atom_backend.domain.ports import VectorSearch
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import Degraded, Leg, LegHits, SearchFilter, SearchMode
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    DatabaseUnavailable,
    EmbedderUnavailable,
    FilterUnavailable,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from tests.deterministic import BagOfWords
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import (
    MODES,
    ask,
    fill,
    found,
    overwrite_manifests,
)
from tests.making import a_user

every_mode = pytest.mark.parametrize("mode", MODES)

LEGS = {
    SearchMode.HYBRID: (Leg.VECTOR, Leg.TEXT),
    SearchMode.VECTOR: (Leg.VECTOR,),
    SearchMode.TEXT: (Leg.TEXT,),
}


@pytest.fixture
def nowhere() -> Iterator[PostgresTransactions]:
    """A PostgreSQL that refuses every connection."""
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    yield PostgresTransactions(engine)
    engine.dispose()


@pytest.mark.parametrize("chunks", [1, 2])
@every_mode
def test_the_answer_is_that_of_lancedb_marked_as_unchecked(
    stage: Stage, nowhere: PostgresTransactions, mode: SearchMode, chunks: int
) -> None:
    fill(stage, ["moon and tides\n\nhalf moon\n\nnew moon", "moon", "mountains"])
    usual = ask(stage, "moon", mode=mode, chunks=chunks)
    answer = ask(stage, "moon", mode=mode, chunks=chunks, transactions=nowhere)
    assert (answer.legs, answer.degraded) == (LEGS[mode], (Degraded.POSTGRESQL,))
    assert found(answer) == found(usual)
    for one, other in zip(answer.results, usual.results, strict=True):
        assert (one.enriched, one.stored, one.stale) == (False, None, None)
        assert (other.enriched, other.stale) == (True, False)
        same = ("kind", "title", "score", "revision", "passages")
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]


@every_mode
def test_nothing_foreign_is_found(
    stage: Stage, nowhere: PostgresTransactions, mode: SearchMode
) -> None:
    fill(stage, ["moon"], a_user(stage.transactions))
    own = fill(stage, ["moon"])
    assert found(ask(stage, "moon", mode=mode, transactions=nowhere)) == own
    other = a_user(stage.transactions)
    answer = ask(stage, "moon", mode=mode, transactions=nowhere, by=other)
    assert (answer.results, answer.degraded) == ((), (Degraded.POSTGRESQL,))


def test_a_deleted_item_may_still_be_there_and_does_not_claim_to_exist(
    stage: Stage, nowhere: PostgresTransactions
) -> None:
    (gone,) = fill(stage, ["moon"])
    stage.documents.remove(stage.owner, gone)
    (result,) = ask(stage, "moon", transactions=nowhere).results
    assert (result.item_id, result.enriched) == (gone, False)
    assert ask(stage, "moon").results == ()


def test_the_newest_text_is_shown_where_an_older_one_was_not_removed_yet(
    stage: Stage, nowhere: PostgresTransactions
) -> None:
    (item,) = fill(stage, ["moon\n\nmoon again"])
    stage.documents.change(stage.owner, item, {"title": "New", "text": "the moon rewritten"})

    def stop_before(moment: tuple[str, str]) -> None:
        if moment == ("before", "drop_older"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.relay(announce=stop_before).run_once()
    (result,) = ask(stage, "moon", chunks=5, transactions=nowhere).results
    assert [passage.text for passage in result.passages] == ["the moon rewritten"]
    assert (result.title, result.revision) == ("New", 2)


def test_pages_follow_each_other_to_the_end_and_beyond(
    stage: Stage, nowhere: PostgresTransactions
) -> None:
    items = fill(stage, [f"moon {'sun ' * number}" for number in range(7)])
    whole = ask(stage, "moon", limit=9, transactions=nowhere)
    pages = [ask(stage, "moon", limit=3, offset=at, transactions=nowhere) for at in (0, 3, 6, 9)]
    assert sorted(found(whole)) == sorted(items)
    assert [item for page in pages for item in found(page)] == found(whole)
    assert [page.next_offset for page in pages] == [3, 6, None, None]
    assert {page.degraded for page in pages} == {(Degraded.POSTGRESQL,)}


def test_the_legs_are_asked_deeper_until_the_page_is_full(
    stage: Stage, nowhere: PostgresTransactions
) -> None:
    fill(stage, ["\n\n".join(["moon"] * 300), "moon moon"])
    fill(stage, [f"moon {number}" for number in range(20)])
    answer = ask(stage, "moon", limit=25, mode=SearchMode.TEXT, transactions=nowhere)
    assert len(set(found(answer))) == len(answer.results) == 22


def test_a_lowest_score_still_holds(stage: Stage, nowhere: PostgresTransactions) -> None:
    fill(stage, ["moon", "moon sun", "moon sun stars sky"])
    scores = [one.score for one in ask(stage, "moon", mode=SearchMode.TEXT).results]
    answer = ask(
        stage, "moon", mode=SearchMode.TEXT, min_score=scores[1], limit=2, transactions=nowhere
    )
    assert ([one.score for one in answer.results], answer.next_offset) == (scores[:2], None)


@pytest.mark.parametrize(
    "conditions",
    [
        {"tags": ("sky",)},
        {"source": "notes"},
        {"metadata": {"n": 1}},
        {"created_after": datetime(2020, 1, 1, tzinfo=UTC)},
        {"created_before": datetime(2100, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda conditions: str(*conditions),
)
def test_a_filter_is_refused_and_never_left_out(
    stage: Stage, nowhere: PostgresTransactions, conditions: dict[str, Any]
) -> None:
    fill(stage, ["moon"])
    with pytest.raises(FilterUnavailable):
        ask(stage, "moon", filter=SearchFilter(**conditions), transactions=nowhere)


@every_mode
def test_without_the_model_too_words_are_found(
    stage: Stage, nowhere: PostgresTransactions, mode: SearchMode
) -> None:
    def fail(_: Sequence[str]) -> None:
        raise EmbedderUnavailable

    items = fill(stage, ["moon", "mountains"])
    answer = ask(stage, "moon", mode=mode, embedder=BagOfWords(fail), transactions=nowhere)
    named = {Degraded.POSTGRESQL} if mode is SearchMode.TEXT else set(Degraded) - {Degraded.LANCEDB}
    assert (answer.legs, set(answer.degraded)) == ((Leg.TEXT,), named)
    assert found(answer) == items[:1]


@every_mode
@pytest.mark.parametrize("offset", [0, 50])
@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_without_both_stores_there_is_no_answer(
    stage: Stage, nowhere: PostgresTransactions, mode: SearchMode, offset: int, how: str
) -> None:
    fill(stage, ["moon"])
    if how == "gone":
        stage.lance.rename(stage.lance.with_name("hidden"))
    else:
        overwrite_manifests(stage.lance, b"garbage" * 100)
    with pytest.raises(DatabaseUnavailable):
        ask(stage, "moon", mode=mode, offset=offset, transactions=nowhere)


class Failing:
    """LanceDB answers the first search, and then no more. Remembers what kinds were asked for."""

    def __init__(self, inner: VectorSearch, error: AtomError) -> None:
        self._inner = inner
        self._error = error
        self.kinds: list[frozenset[Kind]] = []

    def search(self, *scope: OwnerScope, **asked: Any) -> tuple[LegHits, ...]:
        self.kinds.append(asked["kinds"])
        if len(self.kinds) > 1:
            raise self._error
        return self._inner.search(*scope, **asked)


@pytest.mark.parametrize(
    "error", [VectorStoreUnavailable(), VectorStoreCorrupt(), ConfigurationError("x")]
)
def test_when_lancedb_goes_too_while_an_answer_is_made_there_is_none(
    stage: Stage, nowhere: PostgresTransactions, error: AtomError
) -> None:
    fill(stage, ["moon"])
    failing = Failing(stage.vectors, error)
    vectors = cast(VectorSearch, failing)
    kinds = frozenset({Kind.DOCUMENT})
    with pytest.raises(DatabaseUnavailable):
        ask(stage, "moon", kinds=kinds, vectors=vectors, transactions=nowhere)
    assert failing.kinds == [kinds, kinds]
