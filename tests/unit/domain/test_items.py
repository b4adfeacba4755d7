"""Items: identity of chunks, identity of content, and the vector that stands for a whole."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atom_backend.domain.items import (
    Kind,
    Source,
    Span,
    Vectors,
    content_hash,
    cut,
    document_embedding,
    embedding_text,
)

SOURCE = Source(UUID(int=1), UUID(int=2), Kind.DOCUMENT, 3, "Title", "naïve 東京 😀 text")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def some_vectors(draw: st.DrawFn) -> Vectors:
    rows = draw(st.integers(1, 6))
    numbers = st.floats(-1, 1, width=32)
    drawn = draw(arrays.arrays(np.float32, (rows, 4), elements=numbers))
    lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
    assume(bool((lengths > 1e-3).all()))
    return np.asarray(drawn / lengths, dtype=np.float32)


@given(WORDS, WORDS, WORDS, WORDS)
def test_two_contents_have_one_hash_only_when_they_are_the_same(
    title: str, text: str, other_title: str, other_text: str
) -> None:
    same = (title, text) == (other_title, other_text)
    assert (content_hash(title, text) == content_hash(other_title, other_text)) == same


@given(WORDS.filter(bool), WORDS)
def test_a_letter_that_moves_from_the_title_to_the_text_changes_the_hash(
    title: str, text: str
) -> None:
    moved = content_hash(title[:-1], title[-1] + text)
    assert moved != content_hash(title, text)
    assert len(moved) == 32


def test_a_sources_hash_is_that_of_its_title_and_text() -> None:
    assert SOURCE.content_hash == content_hash(SOURCE.title, SOURCE.text)
    assert replace(SOURCE, revision=9).content_hash == SOURCE.content_hash


def test_a_chunks_text_is_what_stands_between_its_offsets() -> None:
    chunks = cut(SOURCE, [Span(0, 8), Span(6, 10), Span(9, 15)])
    assert [chunk.ordinal for chunk in chunks] == [0, 1, 2]
    assert [chunk.text for chunk in chunks] == ["naïve 東京", "東京 😀", "😀 text"]
    assert all(SOURCE.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_a_chunks_identifier_depends_on_item_revision_and_ordinal_alone() -> None:
    spans = [Span(0, 3), Span(3, 6)]
    ids = [chunk.chunk_id for chunk in cut(SOURCE, spans)]
    assert ids == [one.chunk_id for one in cut(replace(SOURCE, text="other text"), spans)]
    newer = [one.chunk_id for one in cut(replace(SOURCE, revision=4), spans)]
    foreign = [one.chunk_id for one in cut(replace(SOURCE, item_id=UUID(int=9)), spans)]
    assert len({*ids, *newer, *foreign}) == 6


def test_the_model_reads_the_title_before_the_passage() -> None:
    assert embedding_text("Title", "passage") == "Title\npassage"
    assert embedding_text("", "passage") == "passage"


@given(some_vectors())
def test_a_document_embedding_always_has_length_one(vectors: Vectors) -> None:
    embedding = document_embedding(vectors)
    assert embedding.shape == (4,)
    assert embedding.dtype == np.float32
    assert float(np.linalg.norm(embedding)) == pytest.approx(1.0, abs=1e-3)


def test_a_document_embedding_points_where_its_chunks_point_on_average() -> None:
    vectors = np.asarray([[1, 0, 0], [0, 1, 0]], dtype=np.float32)
    assert document_embedding(vectors) == pytest.approx(np.asarray([0.5**0.5, 0.5**0.5, 0]))


def test_chunks_that_cancel_each_other_out_are_represented_by_the_first() -> None:
    vectors = np.asarray([[0, 1], [0, -1]], dtype=np.float32)
    assert document_embedding(vectors).tolist() == [0, 1]
