"""The passages of an item, as the index holds them."""

from __future__ import annotations

from uuid import UUID

from atom_backend.domain.items import Chunk
from atom_backend.domain.ports import Transactions, VectorSearch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.resource import Resource


class IndexedChunks:
    """What LanceDB holds of the items that PostgreSQL knows."""

    def __init__(self, transactions: Transactions, vectors: VectorSearch) -> None:
        self._transactions = transactions
        self._vectors = vectors

    def of(
        self, principal: Principal, resource: Resource, item_id: UUID
    ) -> tuple[int, list[Chunk]]:
        """The revision that the vector store holds of an item, and its chunks in order.

        An item that is not indexed yet has revision 0 and no chunks. Raises NotFound, and
        DependencyError when the vector store does not answer: "down" must not look like "none".
        """
        with self._transactions.owner(principal) as work:
            work.records(resource).get(item_id)
        return self._vectors.chunks(principal.scope, item_id) or (0, [])
