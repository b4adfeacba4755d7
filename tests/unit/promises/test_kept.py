"""The judge of I1 is judged: it finds every planted loss, and where there is none, none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.promises.history import Outcome
from tests.promises.kept import broken_writes
from tests.unit.promises.telling import Told, document, fields, item, names, text


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_was_acknowledged_and_is_there_is_right(told: Told) -> None:
    first = told.write("letter")
    second = told.write("letter", 2, "text")
    told.write("note")
    told.remove("note")
    told.read("letter", 2)
    told.read("note", None)
    there = document("letter", first, 2, fields=fields(second, "text"))
    assert broken_writes(told.history, [there]) == []


def test_a_lost_write_is_found(told: Told) -> None:
    told.write("letter")
    assert names(broken_writes(told.history, [])) == {"lost"}


def test_a_lost_answer_excuses_either_whole_state(told: Told) -> None:
    first = told.write("letter")
    maybe = told.doubt("letter", "text")
    told.doubt("never answered", item=None)
    for number, revision in ((first, 1), (maybe, 2)):
        there = document("letter", first, revision, fields=fields(number, "text"))
        assert broken_writes(told.history, [there]) == []


def test_a_lost_answer_excuses_nothing_where_the_revision_says_that_it_came_before(
    told: Told,
) -> None:
    told.write("letter")
    maybe = told.doubt("letter")
    told.write("letter", 3)
    there = document("letter", maybe, 3)
    assert names(broken_writes(told.history, [there])) == {"undone"}


def test_an_unanswered_deletion_excuses_absence_but_no_other_content(told: Told) -> None:
    first = told.write("letter")
    told.write("letter", 2)
    told.remove("letter", outcome=Outcome.UNKNOWN)
    assert broken_writes(told.history, []) == []
    assert names(broken_writes(told.history, [document("letter", first)])) == {"overwritten"}


def test_a_refused_deletion_excuses_nothing(told: Told) -> None:
    told.write("letter")
    told.remove("letter", outcome=Outcome.REFUSED)
    assert names(broken_writes(told.history, [])) == {"lost"}


@pytest.mark.parametrize("ending", ["remove", "leave"])
def test_what_was_deleted_and_is_there_again_is_found(told: Told, ending: str) -> None:
    number = told.write("letter")
    told.remove("letter") if ending == "remove" else told.leave()
    assert names(broken_writes(told.history, [document("letter", number)])) == {"risen"}


def test_an_older_write_over_a_newer_one_is_found(told: Told) -> None:
    first = told.write("letter")
    second = told.write("letter", 2)
    there = document("letter", second, 3, fields=fields(first, "title"))
    assert names(broken_writes(told.history, [there])) == {"overwritten"}


def test_one_write_in_two_documents_is_found(told: Told) -> None:
    number = told.doubt("letter", item=None)
    twice = [document("one", number), document("other", number)]
    assert names(broken_writes(told.history, twice)) == {"doubled"}


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ({"fields": {"text": text(3)[:20]}}, "torn"),
        ({"fields": {"text": "Nobody wrote this."}}, "torn"),
        ({"owner": "ben"}, "strayed"),
    ],
)
def test_a_document_that_nobody_wrote_so_is_found(
    told: Told, there: dict[str, Any], name: str
) -> None:
    number = told.write("letter")
    assert name in names(broken_writes(told.history, [document("letter", number, **there)]))


def test_a_write_that_reached_another_item_is_found(told: Told) -> None:
    told.write("letter")
    other = told.doubt("note")
    there = document("letter", other, 2)
    assert names(broken_writes(told.history, [there])) == {"strayed"}


def test_a_refused_write_that_took_effect_is_found(told: Told) -> None:
    first = told.write("letter")
    refused = told.write("letter", None, "note", outcome=Outcome.REFUSED)
    there = document("letter", first, 2, fields=fields(refused, "note"))
    assert names(broken_writes(told.history, [there])) == {"refused"}


@pytest.mark.parametrize("revision", [2, 1])
def test_a_revision_that_does_not_grow_is_found(told: Told, revision: int) -> None:
    told.write("letter", 2)
    last = told.write("letter", revision, "title", "text", "note")
    found = names(broken_writes(told.history, [document("letter", last, 3)]))
    assert "order" in found


def test_a_revision_is_compared_with_the_highest_before_it(told: Told) -> None:
    told.write("letter", 1)
    told.write("letter", 3)
    last = told.write("letter", 2)
    assert "order" in names(broken_writes(told.history, [document("letter", last, 3)]))


def test_a_repeated_write_may_be_answered_with_a_revision_that_stood_already(told: Told) -> None:
    number = told.write("letter", 2)
    told.write("letter", 2, once=False, fields=fields(number))
    assert broken_writes(told.history, [document("letter", number, 2)]) == []


def test_an_answer_that_shows_less_than_was_acknowledged_is_found(told: Told) -> None:
    told.write("letter", 1)
    number = told.write("letter", 2)
    told.read("letter", 1)
    told.read("letter", None)
    found = broken_writes(told.history, [document("letter", number, 2)])
    assert names(found) == {"stale", "unseen"}


def test_whoever_reads_or_writes_what_was_deleted_is_found(told: Told) -> None:
    told.write("letter", 1)
    told.remove("letter")
    told.read("letter", 1)
    told.write("letter", 2)
    assert [one.split(": ")[1] for one in broken_writes(told.history, [])] == ["ghost", "ghost"]


def test_a_deletion_that_began_meanwhile_excuses_whoever_did_not_see_the_item(told: Told) -> None:
    told.write("letter", begun=0.0, ended=1.0)
    told.read("letter", None, begun=2.0, ended=5.0)
    told.remove("letter", begun=4.0, ended=6.0)
    assert broken_writes(told.history, []) == []


def test_an_unanswered_put_may_have_reached_the_item_of_that_name(told: Told) -> None:
    first = told.write("letter", external_id="a")
    maybe = told.doubt("letter", item=None, external_id="a")
    there = document("letter", maybe, 2, external_id="a")
    assert broken_writes(told.history, [there]) == []
    assert names(broken_writes(told.history, [document("letter", first, 1, item=item("x"))])) > {
        "lost"
    }


def test_a_write_over_a_revision_that_it_did_not_name_is_found(told: Told) -> None:
    told.write("letter", 2)
    number = told.write("letter", 4, based_on=2)
    assert names(broken_writes(told.history, [document("letter", number, 4)])) == {"overtaken"}


def test_a_text_that_is_not_of_its_revision_is_found(told: Told) -> None:
    first = told.write("letter", 1)
    second = told.write("letter", 2, "text")
    there = [document("letter", first, 2, fields=fields(second, "text"))]
    told.read("letter", 2, text=text(second))
    told.read("letter", 3, text=text(second))
    assert broken_writes(told.history, there) == []
    told.read("letter", 2, text=text(first))
    told.read("letter", 2, text=text(second)[:30])
    assert names(broken_writes(told.history, there)) == {"misread", "torn"}
