"""A chunker and an embedder so small that a test can foresee what they give.

A chunk is ``CHUNK_LETTERS`` letters of the text, a heading at most ``HEADING_LETTERS`` of the
title. A vector depends on what the model reads and on nothing else, and two different texts have
different vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from atom_backend.domain.items import Span, Vector, Vectors

CHUNK_LETTERS = 10
HEADING_LETTERS = 4
DIMENSION = 8


class TinyChunker:
    """Cuts every ten letters; a blank text has no chunk."""

    version = "tiny-chunker-1"

    def heading(self, title: str) -> str:
        return title[:HEADING_LETTERS]

    def split(self, text: str, *, title: str = "") -> list[Span]:
        if not text.strip():
            return []
        places = range(0, len(text), CHUNK_LETTERS)
        return [Span(place, min(place + CHUNK_LETTERS, len(text))) for place in places]


class TinyEmbedder:
    """Remembers the batches that it was given."""

    fingerprint = "tiny-model-1"
    dimension = DIMENSION

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> Vector:
    """Eight numbers from the text's SHA-256, scaled to length 1."""
    digest = hashlib.sha256(text.encode()).digest()
    numbers = np.frombuffer(digest, dtype="<u4").astype(np.float64) + 1
    return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)
