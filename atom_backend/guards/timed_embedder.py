"""``TimedEmbedder``: a model that may hang, for a worker, which has leases to give back in time.

A computation cannot be interrupted from outside: it is left behind on a thread of its own, which
does not keep the process from ending. Invariants: no call takes longer than the deadline; at most
``MOST_HANGING`` computations are left behind, and then every call fails at once until one returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Self

from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import Embedder
from atom_backend.errors import EmbedderUnavailable

MOST_HANGING = 4


class TimedEmbedder:
    """The port ``Embedder``; ``deadline`` in seconds, for each call."""

    def __init__(self, embedder: Embedder, *, deadline: float) -> None:
        self._embedder = embedder
        self._deadline = deadline
        self._threads = BoundedSemaphore(MOST_HANGING)

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text. Raises EmbedderUnavailable or RefusedVector."""
        if not self._threads.acquire(blocking=False):
            raise EmbedderUnavailable(f"The embedding model hangs in {MOST_HANGING} calls.")
        outcome = _Outcome()
        Thread(target=self._compute, args=(texts, outcome), name="embedder", daemon=True).start()
        try:
            return outcome.result(self._deadline)
        except TimeoutError as late:
            raise EmbedderUnavailable(
                f"The embedding model did not answer within {self._deadline:g} seconds."
            ) from late

    def _compute(self, texts: Sequence[str], outcome: _Outcome) -> None:
        with outcome:
            outcome.set_result(self._embedder.embed(texts))
        self._threads.release()


class _Outcome(Future[Vectors]):
    """Of a computation; what is raised inside is raised again where somebody waits for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is not None:
            self.set_exception(error)
        return True
