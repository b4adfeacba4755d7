"""Search: ask the vector store, believe PostgreSQL.

The legs say what may be relevant; one query by identifier then says what exists, belongs to the
caller and satisfies the filter. Invariants: nothing deleted or foreign is answered (I4), or it is
marked as unchecked while PostgreSQL is down; a match is never missed because something was cut off
before it was looked at: the legs are asked deeper until the page is full or they have no more; a
missing part is named (I6).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from atom_backend.domain.facets import Counts
from atom_backend.domain.fusion import Candidate, rank
from atom_backend.domain.items import Vector
from atom_backend.domain.ports import Embedder, Transactions, VectorSearch
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import (
    Degraded,
    LegHits,
    SearchAnswer,
    SearchMode,
    SearchRequest,
)
from atom_backend.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    DependencyError,
    FilterUnavailable,
    StoredDataError,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from atom_backend.services.results import result_of
from atom_backend.services.survivors import Checked, Survivor
from atom_backend.services.text_search import search_text
from atom_backend.services.unenriched import search_unenriched

logger = logging.getLogger(__name__)

FIRST_DEPTH = 128
"""Chunks that each leg gives at the first look."""

_PER_RESULT = 3
"""Chunks for each result that is wanted, where one leg runs alone: its best need no comparison."""

DEEPER = 8
"""How many times deeper every further look is."""

MOST_NARROWED = 5_000
"""Up to this many items that satisfy the filter, the legs are told to look at only those."""

_LANCEDB_IS_OF_NO_USE = (VectorStoreUnavailable, StoredDataError, ConfigurationError)
"""It is down, damaged, or not what this version and model need. (Were PostgreSQL the one with wrong
data, it would say so again when it answers instead.)"""

_INDEXED_FOR = 60.0
"""Seconds since when an item must be there whenever it is looked for: longer than a search."""


class SearchService:
    """The query flow of every kind of item."""

    def __init__(
        self, transactions: Transactions, vectors: VectorSearch, embedder: Embedder
    ) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._embedder = embedder

    def search(self, principal: Principal, request: SearchRequest) -> SearchAnswer:
        """One page of results.

        Raises FilterUnavailable, or DatabaseUnavailable when LanceDB does not answer either.
        """
        degraded: list[Degraded] = []
        try:
            counts = self._counts(principal, request)
            return replace(self._enriched(principal, request, degraded), counts=counts)
        except DatabaseUnavailable as down:
            if not request.filter.empty:
                raise FilterUnavailable(retry_after=down.retry_after) from down
            # An access token is known by its signature; that a key still holds, nobody can say.
            if Degraded.LANCEDB in degraded or principal.key is not None:
                raise
            return self._unenriched(principal, request, degraded, down)

    def _enriched(
        self, principal: Principal, request: SearchRequest, degraded: list[Degraded]
    ) -> SearchAnswer:
        """A page on PostgreSQL's word; says in ``degraded`` what was missing, also on an error."""
        only = self._narrowed(principal, request)
        vector = self._query_vector(request, degraded)
        try:
            found = self._look(principal, request, vector, only)
            if not found.page:
                self._doubt(principal, found)
        except _LANCEDB_IS_OF_NO_USE as error:
            logger.warning("searching without LanceDB: %s", error.message)
            degraded.append(Degraded.LANCEDB)
            return search_text(self._transactions, principal, request, degraded)
        return SearchAnswer(
            results=tuple(result_of(one, request) for one in found.page),
            legs=found.legs_run,
            degraded=tuple(degraded),
            next_offset=request.offset + request.limit if found.more else None,
        )

    def _unenriched(
        self,
        principal: Principal,
        request: SearchRequest,
        degraded: list[Degraded],
        down: DatabaseUnavailable,
    ) -> SearchAnswer:
        logger.warning("searching without PostgreSQL: %s", down.message)
        known = Degraded.EMBEDDER in degraded
        vector = None if known else self._query_vector(request, degraded)
        degraded.append(Degraded.POSTGRESQL)
        try:
            return search_unenriched(
                self._vectors,
                principal,
                request,
                vector,
                degraded,
                first_depth=FIRST_DEPTH,
                deeper=DEEPER,
            )
        except _LANCEDB_IS_OF_NO_USE as error:
            logger.warning("neither store answers: %s", error.message)
            raise down from None

    def _counts(self, principal: Principal, request: SearchRequest) -> Counts | None:
        if not request.facets:
            return None
        with self._transactions.owner(principal) as work:
            return work.items.count(request.facets, request.kinds, request.filter)

    def _narrowed(self, principal: Principal, request: SearchRequest) -> list[UUID] | None:
        """The items that satisfy the filter, or None where they are too many to list."""
        if request.filter.empty:
            return None
        with self._transactions.owner(principal) as work:
            matching = work.items.matching(request.filter, limit=MOST_NARROWED + 1)
        return matching if len(matching) <= MOST_NARROWED else None

    def _doubt(self, principal: Principal, found: _Found) -> None:
        """Believe an empty page only from an open session and a store that holds what it must.

        A damaged index of LanceDB, or tables that somebody has emptied, find nothing and raise
        nothing. Raises VectorStoreCorrupt when an item that was indexed is not there.
        """
        with self._transactions.owner(principal) as work:
            indexed = work.index.one_indexed(seconds_ago=_INDEXED_FOR) if found.nothing else None
        if indexed is None:
            return
        _, chunks = self._vectors.chunks(principal.scope, indexed) or (0, [])
        if not chunks:
            raise VectorStoreCorrupt("LanceDB finds nothing of an owner whose items were indexed.")

    def _query_vector(self, request: SearchRequest, degraded: list[Degraded]) -> Vector | None:
        if request.mode is SearchMode.TEXT:
            return None
        try:
            vector: Vector = self._embedder.embed([request.query])[0]
        except (DependencyError, StoredDataError) as error:
            logger.warning("searching without vectors: %s", error.message)
            degraded.append(Degraded.EMBEDDER)
            return None
        return vector

    def _look(
        self,
        principal: Principal,
        request: SearchRequest,
        vector: Vector | None,
        only: Sequence[UUID] | None,
    ) -> _Found:
        """Ask deeper and deeper until the page is full or nothing is left to find."""
        text = request.query if request.mode is not SearchMode.VECTOR or vector is None else None
        needed = request.offset + request.limit + 1  # that many show whether there is a next page
        checked: Checked[Candidate] = Checked(
            self._transactions, principal, request.filter, request.min_score, needed
        )
        both = vector is not None and text is not None
        depths = [FIRST_DEPTH if both else min(FIRST_DEPTH, _PER_RESULT * needed)]
        while True:
            legs = self._vectors.search(
                principal.scope,
                vector=vector,
                text=text,
                depth=depths[-1],
                kinds=request.kinds,
                item_ids=only,
            )
            candidates = rank(legs, depths)
            survivors = checked.survivors(candidates)
            full = len(survivors) == needed
            # Scores only fall: behind a candidate that scores too low there is no better one.
            ended = _exhausted(legs) or not all(map(checked.good_enough, candidates[-1:]))
            if full or ended:
                return _Found(legs, survivors, request)
            depths.append(depths[-1] * DEEPER)


class _Found:
    """What the last look gave, cut to the page."""

    def __init__(
        self, legs: Sequence[LegHits], survivors: list[Survivor[Candidate]], request: SearchRequest
    ) -> None:
        end = request.offset + request.limit
        self.legs_run = tuple(leg.leg for leg in legs)
        self.nothing = not survivors
        self.page = survivors[request.offset : end]
        self.more = len(survivors) > end


def _exhausted(legs: Sequence[LegHits]) -> bool:
    return all(leg.exhausted for leg in legs)
