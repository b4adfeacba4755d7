"""Similar items: near another one in meaning, as a whole.

LanceDB says what is near, PostgreSQL what exists, is the owner's and satisfies the filter (I4).
There is no other way to find out: without either of them nothing is answered, and an item that
LanceDB does not know yet is refused, so that an empty answer means that nothing is there (I6).
"""

from __future__ import annotations

import logging
from uuid import UUID

from atom_backend.domain.index_state import IndexState
from atom_backend.domain.items import Vector
from atom_backend.domain.ports import Transactions, VectorSearch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.similar import Neighbour, SimilarAnswer, SimilarItem, SimilarRequest
from atom_backend.errors import (
    ConfigurationError,
    Conflict,
    StoredDataError,
    VectorStoreUnavailable,
)
from atom_backend.services.survivors import Checked, Survivor

logger = logging.getLogger(__name__)

NOT_INDEXED = "not_indexed"
"""The code of a conflict: LanceDB does not hold the item that was asked about."""

MOST_NARROWED = 5_000
"""Up to this many items that satisfy the filter, LanceDB is told to look at only those."""

DEEPER = 8
"""How many times deeper every further look is."""

_BESIDES = 5
"""How many more are looked at than wanted: the item itself, and a few that may be gone."""


class SimilarItems:
    """The nearest items of the same owner, whatever their kind."""

    def __init__(self, transactions: Transactions, vectors: VectorSearch) -> None:
        self._transactions = transactions
        self._vectors = vectors

    def similar(
        self, principal: Principal, item_id: UUID, request: SimilarRequest
    ) -> SimilarAnswer:
        """Best first.

        Raises NotFound, Conflict (code ``not_indexed``), DatabaseUnavailable, or
        VectorStoreUnavailable, also where what LanceDB holds is of no use.
        """
        with self._transactions.owner(principal) as work:
            stored = work.items.get(item_id)
            only = None
            if not request.filter.empty:
                only = work.items.matching(request.filter, limit=MOST_NARROWED + 1)
        try:
            revision, vector = self._embedding(principal, stored)
            narrowed = only if only is None or len(only) <= MOST_NARROWED else None
            found = self._look(principal, stored.id, request, vector, narrowed)
        except (StoredDataError, ConfigurationError) as error:
            logger.warning("LanceDB is of no use: %s", error.message)
            raise VectorStoreUnavailable(error.message) from error
        return SimilarAnswer(
            tuple(_shown(one) for one in found), stale=revision != stored.content_revision
        )

    def _embedding(self, principal: Principal, stored: Record) -> tuple[int, Vector]:
        known = self._vectors.embedding(principal.scope, stored.id)
        if known is not None:
            return known
        if stored.index_state is IndexState.INDEXED:
            raise VectorStoreUnavailable("LanceDB does not hold an item that was indexed.")
        if stored.index_state is IndexState.PARKED:
            raise Conflict(
                f"The item could not be indexed: {stored.index_reason}", code=NOT_INDEXED
            )
        raise Conflict("The item is not indexed yet: ask again in a moment.", code=NOT_INDEXED)

    def _look(
        self,
        principal: Principal,
        item_id: UUID,
        request: SimilarRequest,
        vector: Vector,
        only: list[UUID] | None,
    ) -> list[Survivor[Neighbour]]:
        """Ask deeper and deeper until there are enough or nothing is left to find."""
        checked: Checked[Neighbour] = Checked(
            self._transactions, principal, request.filter, request.min_score, request.limit
        )
        depth = request.limit + _BESIDES
        while True:
            near = self._vectors.nearest(
                principal.scope, vector, depth=depth, kinds=request.kinds, item_ids=only
            )
            others = [one for one in near.items if one.item_id != item_id]
            survivors = checked.survivors(others)
            ended = near.exhausted or not all(map(checked.good_enough, others[-1:]))
            if ended or len(survivors) == request.limit:
                return survivors
            depth *= DEEPER


def _shown(survivor: Survivor[Neighbour]) -> SimilarItem:
    near, stored = survivor.candidate, survivor.stored
    return SimilarItem(
        stored, near.kind, near.score, stale=near.revision != stored.content_revision
    )
