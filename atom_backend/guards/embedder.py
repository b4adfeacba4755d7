"""``GuardedEmbedder``: a model that may hang, under a deadline and behind a breaker.

A computation cannot be interrupted from outside, so it runs on a thread of this embedder, and a
caller stops waiting for it. Invariant: hanging computations hold at most ``threads`` threads, and
none of the callers'.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import Embedder
from atom_backend.errors import EmbedderUnavailable
from atom_backend.guards.circuit import Circuit

_PROBE = ("health",)


class GuardedEmbedder:
    """The port ``Embedder``; ``deadline`` in seconds."""

    def __init__(
        self, embedder: Embedder, circuit: Circuit, *, deadline: float, threads: int = 16
    ) -> None:
        self._embedder = embedder
        self._circuit = circuit
        self._deadline = deadline
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="embedder")

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text. Raises EmbedderUnavailable or RefusedVector."""
        with self._circuit.attempt():
            return self._within_deadline(texts)

    def probe(self) -> None:
        """Asks the model whatever the breaker says, and closes it if there is an answer."""
        self._within_deadline(_PROBE)
        self._circuit.healthy()

    def close(self) -> None:
        """Takes no more texts; waits for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _within_deadline(self, texts: Sequence[str]) -> Vectors:
        computation = self._threads.submit(self._embedder.embed, texts)
        try:
            return computation.result(self._deadline)
        except TimeoutError as late:
            computation.cancel()
            raise EmbedderUnavailable(
                f"The embedding model did not answer within {self._deadline:g} seconds."
            ) from late
