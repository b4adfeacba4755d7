"""The judges of I4 and I6 are judged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.driver.words import word
from tests.promises.found import silent_gaps, wrong_hits
from tests.promises.history import Outcome
from tests.unit.promises.telling import Told, hit, item, names, text


@pytest.fixture
def told() -> Told:
    return Told()


def test_right_hits_are_right(told: Told) -> None:
    number = told.write("letter")
    told.search(hit("letter", number, passages=("Our dentist " + word(number) + " waits.",)))
    assert wrong_hits(told.history) == []


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text", "similar"])
def test_a_foreign_hit_is_found_in_every_mode(told: Told, mode: str) -> None:
    number = told.write("letter", owner="ben")
    told.search(hit("letter", number), mode=mode)
    assert names(wrong_hits(told.history)) == {"foreign"}


def test_a_foreign_text_under_an_own_item_is_found(told: Told) -> None:
    told.write("letter")
    foreign = told.write("note", owner="ben")
    told.search(hit("letter", foreign, stale=True))
    assert names(wrong_hits(told.history)) == {"foreign"}


def test_an_item_that_no_answer_named_can_be_foreign_too(told: Told) -> None:
    number = told.write("letter")
    told.search(hit("note", number))
    assert wrong_hits(told.history) == []
    assert names(wrong_hits(told.history, {item("note"): "ben"})) == {"foreign"}


@pytest.mark.parametrize("ending", ["remove", "leave"])
def test_a_deleted_hit_is_found_unless_it_is_marked_as_unchecked(told: Told, ending: str) -> None:
    number = told.write("letter")
    told.remove("letter") if ending == "remove" else told.leave()
    told.search(hit("letter", number, enriched=False, stale=True))
    assert wrong_hits(told.history) == []
    told.search(hit("letter", number))
    assert names(wrong_hits(told.history)) == {"deleted"}


def test_a_foreign_or_deleted_item_is_found_among_similar_ones_without_its_text(told: Told) -> None:
    told.write("letter")
    told.search(hit("letter", 0, passages=()), mode="similar", legs=("vector",))
    assert wrong_hits(told.history) == silent_gaps(told.history) == []
    told.remove("letter")
    told.write("note", owner="ben")
    for what in ("letter", "note"):
        told.search(hit(what, 0, passages=()), mode="similar", legs=("vector",))
    assert names(wrong_hits(told.history)) == {"deleted", "foreign"}


def test_a_hit_whose_deletion_was_acknowledged_during_the_search_is_right(told: Told) -> None:
    number = told.write("letter", begun=0.0, ended=1.0)
    told.remove("letter", begun=2.0, ended=4.0)
    told.search(hit("letter", number), begun=3.0, ended=5.0)
    assert wrong_hits(told.history) == []


def test_an_old_text_is_found_unless_it_is_marked_as_stale(told: Told) -> None:
    number = told.write("letter", 1)
    told.write("letter", 2, "text")
    told.search(hit("letter", number, stale=True))
    assert wrong_hits(told.history) == []
    told.search(hit("letter", number))
    assert names(wrong_hits(told.history)) == {"old"}


@pytest.mark.parametrize("passage", ["What nobody wrote.", f"{text(3)} And more."])
def test_a_passage_that_nobody_wrote_is_found(told: Told, passage: str) -> None:
    number = told.write("letter")
    told.search(hit("letter", number, passages=(passage,)))
    assert names(wrong_hits(told.history)) == {"torn"}


@pytest.mark.parametrize(
    ("mode", "legs"),
    [
        ("hybrid", ("vector",)),
        ("hybrid", ("text",)),
        ("hybrid", ("postgresql",)),
        ("vector", ("text",)),
        ("text", ("postgresql",)),
        ("text", ()),
    ],
)
def test_a_leg_that_is_missing_without_a_word_is_found(
    told: Told, mode: str, legs: tuple[str, ...]
) -> None:
    told.search(mode=mode, legs=legs)
    assert silent_gaps(told.history)
    with_reason = Told()
    with_reason.search(mode=mode, legs=legs or ("text",), degraded=("lancedb",))
    assert silent_gaps(with_reason.history) == []


def an_empty_answer(told: Told, number: int, **more: Any) -> list[str]:
    told.search(word=word(number), **more)
    return silent_gaps(told.history)


def test_an_empty_answer_about_what_can_be_found_is_found(told: Told) -> None:
    assert an_empty_answer(told, told.write("letter", indexed=True))


def test_so_is_one_about_what_was_read_as_indexed(told: Told) -> None:
    number = told.write("letter", 3)
    told.read("letter", 3, indexed=True)
    assert an_empty_answer(told, number)


def test_so_is_one_of_postgresql_about_anything_acknowledged(told: Told) -> None:
    number = told.write("letter")
    assert an_empty_answer(told, number, legs=("postgresql",), degraded=("lancedb",))


def test_an_answer_with_the_item_lacks_nothing(told: Told) -> None:
    number = told.write("letter", indexed=True)
    told.search(hit("letter", number), word=word(number))
    assert silent_gaps(told.history) == []


def test_what_is_not_indexed_yet_need_not_be_found(told: Told) -> None:
    number = told.write("letter", 3)
    told.read("letter", 2, indexed=True)
    told.read("letter", 3)
    assert an_empty_answer(told, number) == []


def test_what_says_that_a_store_is_down_need_not_be_complete(told: Told) -> None:
    number = told.write("letter", indexed=True)
    assert an_empty_answer(told, number, degraded=("postgresql",)) == []


@pytest.mark.parametrize("outcome", [Outcome.ACKNOWLEDGED, Outcome.UNKNOWN])
@pytest.mark.parametrize("what", ["rewritten", "removed", "renamed", "left"])
def test_what_was_or_may_have_been_touched_since_need_not_be_found(
    told: Told, what: str, outcome: Outcome
) -> None:
    number = told.write("letter", indexed=True, external_id="a")
    if what == "rewritten":
        told.write("letter", 2, "text", outcome=outcome)
    elif what == "renamed":
        told.write("letter", None, item=None, external_id="a", outcome=outcome)
    elif what == "removed":
        told.remove("letter", outcome=outcome)
    else:
        told.leave(outcome=outcome)
    assert an_empty_answer(told, number) == []


def test_what_was_refused_touched_nothing(told: Told) -> None:
    number = told.write("letter", indexed=True)
    told.remove("letter", outcome=Outcome.REFUSED)
    assert an_empty_answer(told, number)


def test_an_older_write_without_an_answer_may_still_come(told: Told) -> None:
    told.doubt("letter")
    assert an_empty_answer(told, told.write("letter", indexed=True)) == []
