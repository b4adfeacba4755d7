"""A chunker and an embedder for speed: no model, the same answer in every run and process.

A paragraph is a chunk. An embedding is a bag of words, each word at a few places that its hash
decides, so that texts with common words are near each other and others are not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import numpy as np

from atom_backend.coordinator.indexer import Indexer
from atom_backend.domain.items import Span, Vector, Vectors
from atom_backend.errors import RefusedVector

DIMENSION = 64
_PLACES_PER_WORD = 4
_PARAGRAPH = re.compile(r"\S(?:.*?\S)?(?=\s*(?:\n\n|\Z))", re.DOTALL)

Watch = Callable[[Sequence[str]], None]


class ParagraphChunker:
    """Cuts at blank lines; the heading is the title."""

    def __init__(self, version: str = "paragraphs-1") -> None:
        self.version = version

    def heading(self, title: str) -> str:
        return title

    def split(self, text: str, *, title: str = "") -> list[Span]:
        return [Span(*found.span()) for found in _PARAGRAPH.finditer(text)]


class BagOfWords:
    """Calls ``watch`` with the texts before each answer; what that raises is the answer."""

    dimension = DIMENSION

    def __init__(self, watch: Watch | None = None, fingerprint: str = "bag-of-words-1") -> None:
        self._watch = watch
        self.fingerprint = fingerprint

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self._watch is not None:
            self._watch(texts)
        return np.stack([_bag(text) for text in texts])


def refuse_poison(texts: Sequence[str]) -> None:
    """To be watched with: a model that cannot make anything of what mentions poison."""
    if any("poison" in text for text in texts):
        raise RefusedVector


def indexer(watch: Watch | None = None) -> Indexer:
    """Both together."""
    return Indexer(ParagraphChunker(), BagOfWords(watch))


def _bag(text: str) -> Vector:
    vector = np.zeros(DIMENSION)
    for word in re.findall(r"\w+", text.lower()) or [""]:
        for byte in hashlib.sha256(word.encode()).digest()[:_PLACES_PER_WORD]:
            vector[byte % DIMENSION] += 1.0
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
