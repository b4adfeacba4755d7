"""An embedder that could not be opened yet, and is tried again whenever it is wanted.

Invariant: while one caller opens it, which may take long, the others wait for that one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import Embedder


class LateEmbedder:
    """The port ``Embedder``; everything raises EmbedderUnavailable while ``open_it`` does."""

    def __init__(self, open_it: Callable[[], Embedder]) -> None:
        self._open_it = open_it
        self._opening = Lock()
        self._opened: Embedder | None = None

    @property
    def fingerprint(self) -> str:
        return self._embedder().fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder().dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text. Raises EmbedderUnavailable or RefusedVector."""
        return self._embedder().embed(texts)

    def _embedder(self) -> Embedder:
        with self._opening:
            if self._opened is None:
                self._opened = self._open_it()
            return self._opened
