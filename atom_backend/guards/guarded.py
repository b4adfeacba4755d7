"""Every port that requests reach, each behind a breaker of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from atom_backend.domain.ports import Embedder, Transactions, VectorSearch
from atom_backend.errors import (
    DatabaseUnavailable,
    EmbedderUnavailable,
    VectorStoreUnavailable,
)
from atom_backend.guards.circuit import Circuit
from atom_backend.guards.embedder import GuardedEmbedder
from atom_backend.guards.transactions import GuardedTransactions
from atom_backend.guards.vector_search import GuardedVectorSearch


@dataclass(frozen=True, slots=True)
class Guarded:
    """The guarded ports, and their circuits."""

    transactions: GuardedTransactions
    vectors: GuardedVectorSearch
    embedder: GuardedEmbedder
    circuits: tuple[Circuit, ...]

    @property
    def probes(self) -> Mapping[str, Callable[[], object]]:
        """What asks each of them, whatever its breaker says."""
        return {
            "postgresql": self.transactions.probe,
            "lancedb": self.vectors.probe,
            "embedder": self.embedder.probe,
        }

    def close(self) -> None:
        self.embedder.close()


def guard(
    transactions: Transactions, vectors: VectorSearch, embedder: Embedder, *, deadline: float
) -> Guarded:
    """Put each behind a breaker; ``deadline``: seconds that a request waits for the model."""
    circuits = (
        Circuit("postgresql", DatabaseUnavailable),
        Circuit("lancedb", VectorStoreUnavailable),
        Circuit("embedder", EmbedderUnavailable),
    )
    return Guarded(
        GuardedTransactions(transactions, circuits[0]),
        GuardedVectorSearch(vectors, circuits[1]),
        GuardedEmbedder(embedder, circuits[2], deadline=deadline),
        circuits,
    )
