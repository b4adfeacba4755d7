"""``GuardedVectorSearch``: LanceDB's reading half behind a breaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from atom_backend.domain.items import Chunk, Kind, Vector
from atom_backend.domain.ports import VectorSearch
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import LegHits
from atom_backend.domain.similar import Neighbours
from atom_backend.guards.circuit import Circuit


class GuardedVectorSearch:
    """The port ``VectorSearch``; its calls bring their own deadline."""

    def __init__(self, vectors: VectorSearch, circuit: Circuit) -> None:
        self._vectors = vectors
        self._circuit = circuit

    def search(
        self,
        scope: OwnerScope,
        *,
        vector: Vector | None,
        text: str | None,
        depth: int,
        kinds: frozenset[Kind] = frozenset(),
        item_ids: Sequence[UUID] | None = None,
    ) -> tuple[LegHits, ...]:
        with self._circuit.attempt():
            return self._vectors.search(
                scope, vector=vector, text=text, depth=depth, kinds=kinds, item_ids=item_ids
            )

    def chunks(self, scope: OwnerScope, item_id: UUID) -> tuple[int, list[Chunk]] | None:
        with self._circuit.attempt():
            return self._vectors.chunks(scope, item_id)

    def embedding(self, scope: OwnerScope, item_id: UUID) -> tuple[int, Vector] | None:
        with self._circuit.attempt():
            return self._vectors.embedding(scope, item_id)

    def nearest(
        self,
        scope: OwnerScope,
        vector: Vector,
        *,
        depth: int,
        kinds: frozenset[Kind] = frozenset(),
        item_ids: Sequence[UUID] | None = None,
    ) -> Neighbours:
        with self._circuit.attempt():
            return self._vectors.nearest(scope, vector, depth=depth, kinds=kinds, item_ids=item_ids)

    def sizes(self) -> Mapping[str, int]:
        with self._circuit.attempt():
            return self._vectors.sizes()

    def probe(self) -> None:
        """Asks LanceDB whatever the breaker says, and closes it if there is an answer."""
        self._vectors.probe()
        self._circuit.healthy()
