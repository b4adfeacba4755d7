"""The indexer: a projection is complete or does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.coordinator.indexer import EMBEDDED_AT_ONCE, Indexer
from atom_backend.domain.items import Kind, Source, Span, Vectors, document_embedding
from atom_backend.errors import EmbedderUnavailable, RefusedVector, StoredDataError
from tests.unit.coordinator.tiny import (
    DIMENSION,
    HEADING_LETTERS,
    TinyChunker,
    TinyEmbedder,
    vector_of,
)

OWNER = UUID(int=1)
LETTERS = st.characters(categories=["Lu", "Ll", "Lo"])


def source(number: int, text: str, title: str = "") -> Source:
    return Source(UUID(int=number + 100), OWNER, Kind.DOCUMENT, number + 1, title, text)


def unwatched() -> None:
    """Nobody has to be told that the indexer is alive."""


@given(st.lists(st.tuples(st.text(LETTERS, max_size=6), st.text(LETTERS, min_size=1)), max_size=8))
def test_every_chunk_of_every_source_gets_the_vector_of_its_own_text(
    contents: list[tuple[str, str]],
) -> None:
    sources = [source(number, text, title) for number, (title, text) in enumerate(contents)]
    projections = Indexer(TinyChunker(), TinyEmbedder()).project(sources, unwatched)
    assert [one.item_id for one in projections] == [one.item_id for one in sources]
    for one, origin in zip(projections, sources, strict=True):
        assert "".join(chunk.text for chunk in one.chunks) == origin.text
        assert one.vectors.shape == (len(one.chunks), DIMENSION)
        for chunk, vector in zip(one.chunks, one.vectors, strict=True):
            heading = origin.title[:HEADING_LETTERS]
            read = f"{heading}\n{chunk.text}" if heading else chunk.text
            assert np.array_equal(vector, vector_of(read))
        assert np.array_equal(one.embedding, document_embedding(one.vectors))
        assert float(np.linalg.norm(one.embedding)) == pytest.approx(1.0)


def test_a_projection_says_what_was_projected_and_how() -> None:
    origin = source(4, "some text that needs chunks", "Title")
    indexer = Indexer(TinyChunker(), TinyEmbedder())
    (one,) = indexer.project([origin], unwatched)
    assert (one.item_id, one.owner_id, one.kind) == (origin.item_id, OWNER, Kind.DOCUMENT)
    assert (one.revision, one.title) == (origin.revision, "Title")
    assert one.content_hash == origin.content_hash
    assert one.spec == indexer.spec == f"tiny-chunker-1|tiny-model-1|{DIMENSION}"


def test_many_short_items_are_embedded_as_one_stream() -> None:
    embedder = TinyEmbedder()
    sources = [source(number, f"item {number}") for number in range(EMBEDDED_AT_ONCE + 5)]
    Indexer(TinyChunker(), embedder).project(sources, unwatched)
    assert [len(batch) for batch in embedder.batches] == [EMBEDDED_AT_ONCE, 5]
    assert list(chain(*embedder.batches)) == [one.text for one in sources]


def test_a_long_item_is_embedded_in_parts_with_a_sign_of_life_after_each() -> None:
    embedder = TinyEmbedder()
    seen: list[int] = []
    text = "0123456789" * (3 * EMBEDDED_AT_ONCE)
    Indexer(TinyChunker(), embedder).project(
        [source(1, text)], lambda: seen.append(len(embedder.batches))
    )
    assert {1, 2, 3} <= set(seen)
    assert max(map(len, embedder.batches)) == EMBEDDED_AT_ONCE


def test_there_is_a_sign_of_life_after_each_text_that_was_cut() -> None:
    embedder = TinyEmbedder()
    seen: list[int] = []
    sources = [source(number, "text") for number in range(7)]
    Indexer(TinyChunker(), embedder).project(sources, lambda: seen.append(len(embedder.batches)))
    assert seen.count(0) == 7


def test_what_the_sign_of_life_raises_ends_the_work() -> None:
    embedder = TinyEmbedder()

    def lost() -> None:
        if embedder.batches:
            raise TimeoutError("the lease was lost")

    text = "0123456789" * (3 * EMBEDDED_AT_ONCE)
    with pytest.raises(TimeoutError):
        Indexer(TinyChunker(), embedder).project([source(1, text)], lost)
    assert len(embedder.batches) == 1


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_item_without_text_is_an_error_and_nothing_is_embedded(text: str) -> None:
    embedder = TinyEmbedder()
    sources = [source(1, "some text"), source(2, text, "A title alone")]
    with pytest.raises(StoredDataError) as raised:
        Indexer(TinyChunker(), embedder).project(sources, unwatched)
    assert raised.value.code == "no_text"
    assert not raised.value.retryable
    assert embedder.batches == []


def test_no_sources_are_no_projections() -> None:
    assert Indexer(TinyChunker(), TinyEmbedder()).project([], unwatched) == []


@pytest.mark.parametrize("error", [EmbedderUnavailable("gone"), RefusedVector("a zero vector")])
def test_a_failure_half_way_leaves_no_projection(error: Exception) -> None:
    class Failing(TinyEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            if self.batches:
                raise error
            return super().embed(texts)

    sources = [source(number, f"item {number}") for number in range(EMBEDDED_AT_ONCE + 1)]
    with pytest.raises(type(error)) as raised:
        Indexer(TinyChunker(), Failing()).project(sources, unwatched)
    assert raised.value is error


def test_the_chunker_is_told_the_title_that_the_model_will_read_too() -> None:
    class TitleTaking(TinyChunker):
        def split(self, text: str, *, title: str = "") -> list[Span]:
            return [Span(0, len(text) - len(title))]

    (one,) = Indexer(TitleTaking(), TinyEmbedder()).project(
        [source(1, "0123456789", "abc")], unwatched
    )
    assert one.chunks[0].text == "0123456"


def test_another_chunker_or_model_is_another_spec() -> None:
    class NewerChunker(TinyChunker):
        version = "tiny-chunker-2"

    class NewerModel(TinyEmbedder):
        fingerprint = "tiny-model-2"

    class WiderModel(TinyEmbedder):
        dimension = 2 * DIMENSION

    specs = {
        Indexer(TinyChunker(), TinyEmbedder()).spec,
        Indexer(NewerChunker(), TinyEmbedder()).spec,
        Indexer(TinyChunker(), NewerModel()).spec,
        Indexer(TinyChunker(), WiderModel()).spec,
    }
    assert len(specs) == 4
