"""Highlights: the offsets must fit the text as it is, whatever its script."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atom_backend.domain.highlights import MOST_HIGHLIGHTS, highlights, window
from atom_backend.domain.items import Span

# Few letters, so that matches happen; among them some whose folded form is longer or shorter.
LETTERS = st.sampled_from("aAbsS ßİıſﬁ.-_9é\u0301東京都ไทย한글हिन्दी😀\n")
TEXTS = st.one_of(st.text(LETTERS, max_size=120), st.text(max_size=120))


def marked(query: str, text: str) -> list[str]:
    return [text[span.start : span.end] for span in highlights(query, text)]


@given(TEXTS, TEXTS)
@example("İİİ", "İİİ İİİ")
@example("京都", "東京都")
def test_spans_stand_in_order_within_the_text_and_do_not_overlap(query: str, text: str) -> None:
    place = 0
    for span in highlights(query, text):
        assert place <= span.start < span.end <= len(text)
        place = span.end


@given(TEXTS, TEXTS, st.integers(0, 10_000))
def test_an_offset_shifts_every_span_and_changes_nothing_else(
    query: str, text: str, offset: int
) -> None:
    plain = highlights(query, text)
    shifted = [Span(span.start + offset, span.end + offset) for span in plain]
    assert list(highlights(query, text, offset=offset)) == shifted


@given(st.lists(TEXTS, min_size=1, max_size=4).map(" ".join))
def test_a_text_answers_a_query_in_its_own_words(text: str) -> None:
    assert highlights(text, text) or not any(character.isalnum() for character in text)


@given(TEXTS, TEXTS)
def test_more_text_behind_changes_nothing_before_it(query: str, text: str) -> None:
    before = highlights(query, text)
    assert highlights(query, f"{text} task")[: len(before)] == before


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("Tasks", "a task, TASKS and tasking", ["task", "TASKS", "tasking"]),
        ("schedule", "scheduled schedules reschedule", ["scheduled", "schedules"]),
        ("cat", "cat cats category", ["cat"]),
        ("what is the plan", "what a plan is", ["what", "plan"]),
        ("is it", "it is what it is", ["it", "is", "it", "is"]),
        ("order 10001", "orders 10002 and 10001", ["orders", "10001"]),
        ("covid19", "covid and covid19", ["covid19"]),
        ("don't", "I don't", ["don"]),
        ("nothing here", "quite other words", []),
        ("", "some words", []),
        ("words", "", []),
        ("*^[]\\-(", "a *^[]\\-( b", []),
    ],
)
def test_words_match_but_for_case_and_a_short_ending(
    query: str, text: str, found: list[str]
) -> None:
    assert marked(query, text) == found


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("STRASSE", "ßß eine Straße 9", ["Straße"]),
        ("straße", "ßß STRASSEN", ["STRASSEN"]),
        ("İstanbul", "İİİ İSTANBUL!", ["İSTANBUL"]),
        ("final", "ﬁnal ﬁnals", ["ﬁnal", "ﬁnals"]),
        ("ΟΔΟΣ", "οδος", ["οδος"]),
        ("café", "un cafe\u0301 noir", ["cafe\u0301"]),
        ("cafe\u0301", "un CAFÉ noir", ["CAFÉ"]),
        ("ＡＢＣ", "abc", ["abc"]),
        ("हिन्दी", "यह हिन्दी में है", ["हिन्दी"]),
        ("سلام", "قال سَلام و سلام", ["سلام"]),
        ("emoji", "😀😀 emoji", ["emoji"]),
    ],
)
def test_offsets_fit_although_folding_changes_lengths(
    query: str, text: str, found: list[str]
) -> None:
    assert marked(query, text) == found


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("東京", "私は東京に住む", ["東京"]),
        ("東京都庁", "東京の都庁と京都", ["東京", "都庁", "京都"]),
        ("東京都", "新東京都心", ["東京都"]),
        ("plan東京b", "the plan東京b", ["plan東京b"]),
        ("猫", "私は猫が好き", ["猫"]),
        ("猫が", "猫", []),
        ("meeting 会議室", "会議 in the meeting room", ["会議", "meeting"]),
        ("한국어", "한국어를 배운다", ["한국어"]),
        ("แมว", "ฉันรักแมว", ["แมว"]),
    ],
)
def test_scripts_without_spaces_are_marked_by_pairs(
    query: str, text: str, found: list[str]
) -> None:
    assert marked(query, text) == found


def test_no_more_than_the_limit_is_marked_and_the_first_are_kept() -> None:
    spans = highlights("task", "task " * 1_000)
    assert spans == tuple(Span(place * 5, place * 5 + 4) for place in range(MOST_HIGHLIGHTS))


def test_ten_megabytes_and_a_long_query_are_read_in_one_go() -> None:
    # Every word of the query against every word of the text would outlast the suite's time limit.
    query = " ".join(f"query{number}word" for number in range(2_000))
    text = "lorem ipsum dolor sit amet " * 370_000 + "query7word"
    assert highlights(query, text) == (Span(len(text) - 10, len(text)),)


@given(TEXTS, TEXTS, st.integers(1, 200))
def test_a_window_lies_within_the_text_and_shows_the_first_match(
    query: str, text: str, width: int
) -> None:
    part = window(query, text, width=width)
    assert 0 <= part.start <= part.end <= len(text)
    assert part.end - part.start <= width
    for first in highlights(query, text)[:1]:
        assert part.start <= first.start < part.end


def test_a_window_begins_at_a_word_shortly_before_the_match() -> None:
    text = "before " * 300 + "the needle " + "after " * 300
    part = window("needle", text, width=80)
    shown = text[part.start : part.end]
    assert shown.startswith("before ")
    assert "the needle after" in shown
    assert len(shown) == 80


def test_without_a_match_a_window_shows_the_beginning() -> None:
    assert window("needle", "hay " * 100, width=40) == Span(0, 40)
    assert window("needle", "hay", width=40) == Span(0, 3)
