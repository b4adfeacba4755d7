"""What a search finds, and what it must never find (I4)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from atom_backend.clock import new_id
from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.search import Leg, SearchFilter, SearchMode
from atom_backend.embedding.encoder import open_onnx
from atom_backend.errors import Unauthenticated
from tests.integration.coordinator.stage import Stage, in_background
from tests.integration.services.searching import MODES, ask, fill, found
from tests.making import a_document, a_user
from tests.stores import open_store, prepare
from tests.watching import PausedAt

MODELS = Path(__file__).resolve().parents[3] / ".atom" / "models"

every_mode = pytest.mark.parametrize("mode", MODES)


@every_mode
def test_the_nearest_text_comes_first(stage: Stage, mode: SearchMode) -> None:
    far, near = fill(stage, ["tides of the sea and of nothing else", "tides follow the moon"])
    answer = ask(stage, "tides moon", mode=mode)
    assert found(answer) == [near, far]
    assert answer.degraded == ()
    assert answer.next_offset is None


@every_mode
def test_nothing_deleted_is_found_while_lancedb_still_holds_it(
    stage: Stage, mode: SearchMode
) -> None:
    kept, gone, also_gone = fill(stage, ["tides one", "tides two", "tides three"])
    stage.documents.remove(stage.owner, gone)
    stage.documents.remove(stage.owner, also_gone)
    assert stage.rows("document_chunks", gone)
    assert found(ask(stage, "tides", mode=mode)) == [kept]
    page = ask(stage, "tides", mode=mode, limit=1)
    assert (found(page), page.next_offset) == ([kept], None)


@every_mode
def test_nothing_foreign_is_found(stage: Stage, mode: SearchMode) -> None:
    stranger = a_user(stage.transactions)
    (own,) = fill(stage, ["tides"], tags=("sea",))
    (foreign,) = fill(stage, ["tides"], stranger, tags=("sea",))
    for conditions in (SearchFilter(), SearchFilter(tags=("sea",))):
        assert found(ask(stage, "tides", mode=mode, filter=conditions)) == [own]
        assert found(ask(stage, "tides", mode=mode, filter=conditions, by=stranger)) == [foreign]


@every_mode
def test_an_empty_partition_is_empty_and_not_degraded(stage: Stage, mode: SearchMode) -> None:
    fill(stage, ["tides"], a_user(stage.transactions))
    answer = ask(stage, "tides", mode=mode)
    assert (answer.results, answer.degraded, answer.next_offset) == ((), (), None)
    legs = {
        SearchMode.HYBRID: {Leg.VECTOR, Leg.TEXT},
        SearchMode.VECTOR: {Leg.VECTOR},
        SearchMode.TEXT: {Leg.TEXT},
    }
    assert set(answer.legs) == legs[mode]


def test_an_item_is_one_result_with_its_best_passages(stage: Stage) -> None:
    text = "Of rivers.\n\nTides and moon.\n\nOf mountains.\n\nTides alone."
    (item_id, other) = fill(stage, [text, "moon"])
    answer = ask(stage, "tides moon", chunks=2)
    assert sorted(found(answer)) == sorted([item_id, other])
    (result,) = [one for one in answer.results if one.item_id == item_id]
    assert [passage.text for passage in result.passages] == ["Tides and moon.", "Tides alone."]
    for passage in result.passages:
        assert text[passage.start : passage.end] == passage.text
        assert {text[mark.start : mark.end] for mark in passage.highlights} <= {
            "Tides",
            "moon",
        }
        assert passage.highlights


def test_no_text_is_shown_where_none_was_asked_for(stage: Stage) -> None:
    fill(stage, ["tides"])
    (result,) = ask(stage, "tides", include_text=False).results
    assert [passage.text for passage in result.passages] == [None]


def test_what_is_found_by_an_older_text_is_called_stale(stage: Stage) -> None:
    (item_id,) = fill(stage, ["tides"])
    stage.documents.change(stage.owner, item_id, {"text": "mountains"})
    (result,) = ask(stage, "tides").results
    assert (result.stale, result.revision) == (True, 2)
    assert [passage.text for passage in result.passages] == ["tides"]
    stage.converge()
    (result,) = ask(stage, "mountains").results
    assert (result.stale, result.passages[0].text) == (False, "mountains")
    assert ask(stage, "tides", mode=SearchMode.TEXT).results == ()


def test_a_new_tag_makes_nothing_stale(stage: Stage) -> None:
    (item_id,) = fill(stage, ["tides"])
    stage.documents.change(stage.owner, item_id, {"tags": ("sea",)})
    (result,) = ask(stage, "tides").results
    assert (result.stale, result.revision) == (False, 2)


def test_of_two_revisions_side_by_side_the_present_one_is_shown(stage: Stage) -> None:
    (item_id,) = fill(stage, ["tides tides tides"])
    stage.documents.change(stage.owner, item_id, {"text": "tides and mountains"})
    pause = PausedAt(("before", "drop_older"))
    busy = in_background(stage.relay(announce=pause))
    pause.wait()
    assert len(stage.rows("document_chunks", item_id)) == 2
    (result,) = ask(stage, "tides", chunks=5).results
    assert (result.stale, [one.text for one in result.passages]) == (False, ["tides and mountains"])
    pause.go_on()
    busy.result(20)


def test_a_session_that_has_ended_learns_nothing_not_even_that_there_is_nothing(
    stage: Stage,
) -> None:
    ended = replace(stage.owner, session_id=new_id())
    with pytest.raises(Unauthenticated):
        ask(stage, "tides", by=ended)
    fill(stage, ["tides"])
    with pytest.raises(Unauthenticated):
        ask(stage, "tides", by=ended)


def test_the_real_model_finds_by_meaning_what_shares_no_word(stage: Stage, tmp_path: Path) -> None:
    encoder = open_onnx(MODELS, model=None, threads=2)
    lance = prepare(tmp_path / "real", encoder.embedder.dimension)
    with closing(open_store(lance, encoder.embedder.dimension)) as vectors:
        there = replace(stage, vectors=vectors, lance=lance)
        texts = ["The invoice is due on Friday.", "My puppy barks at the postman."]
        items = [a_document(there.transactions, there.owner, text, title="Note") for text in texts]
        there.converge(there.relay(using=Indexer(encoder.chunker, encoder.embedder)))
        answer = ask(there, "young dog", mode=SearchMode.VECTOR, embedder=encoder.embedder)
        assert found(answer) == [items[1].id, items[0].id]
        answer = ask(there, "young dog", embedder=encoder.embedder)
        assert (found(answer)[0], answer.degraded) == (items[1].id, ())
