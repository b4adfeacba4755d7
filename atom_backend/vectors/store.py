"""``LanceVectorStore``: the ports ``VectorSearch`` and ``VectorStore``, filled by LanceDB.

Each method is one call through the connection, which brings the deadline, the retries and the
translation of errors. A write that ran into its deadline may still have been committed; rows carry
their fence, so that the coordinator can remove them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from atom_backend.domain.census import ChunkRows, MarkRows
from atom_backend.domain.generations import Generation
from atom_backend.domain.items import Chunk, Kind, Projection, Vector
from atom_backend.domain.principals import OwnerScope
from atom_backend.domain.search import LegHits
from atom_backend.domain.similar import Neighbours
from atom_backend.vectors import census, neighbours, writing
from atom_backend.vectors.connection import Connection, StoreIdentity, Tables
from atom_backend.vectors.location import Location
from atom_backend.vectors.maintenance import DEADLINE, Maintenance, MaintenancePolicy
from atom_backend.vectors.probe import probe
from atom_backend.vectors.reading import Reading
from atom_backend.vectors.schema import Layout

CENSUS_DEADLINE = 60.0
"""Seconds for one batch of rows of a census."""


class LanceVectorStore:
    """Opened by its first call; ``deadline`` in seconds holds for every call but ``maintain``.

    ``building``: the generation to work on, instead of the active one. ``identity``: the id that
    the store must have, as soon as it is known.
    """

    def __init__(
        self,
        uri: str,
        *,
        dimension: int,
        processed_table: str,
        chunks_table: str,
        deadline: float = 10.0,
        maintenance: MaintenancePolicy = MaintenancePolicy(),  # noqa: B008
        building: int | None = None,
        identity: StoreIdentity = lambda: None,
    ) -> None:
        layout = Layout(dimension, processed_table, chunks_table)
        self._connection = Connection(
            Location(uri), layout, deadline, building=building, identity=identity
        )
        self._reading = Reading()
        self._maintenance = Maintenance(maintenance)

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
        return self._connection.call(
            lambda tables: self._reading.search(
                tables,
                scope,
                vector=vector,
                text=text,
                depth=depth,
                kinds=kinds,
                item_ids=item_ids,
            )
        )

    def chunks(self, scope: OwnerScope, item_id: UUID) -> tuple[int, list[Chunk]] | None:
        return self._connection.call(lambda t: self._reading.chunks(t, scope, item_id))

    def embedding(self, scope: OwnerScope, item_id: UUID) -> tuple[int, Vector] | None:
        return self._connection.call(lambda t: neighbours.embedding(t, scope, item_id))

    def nearest(
        self,
        scope: OwnerScope,
        vector: Vector,
        *,
        depth: int,
        kinds: frozenset[Kind] = frozenset(),
        item_ids: Sequence[UUID] | None = None,
    ) -> Neighbours:
        return self._connection.call(
            lambda tables: neighbours.nearest(
                tables, scope, vector, depth=depth, kinds=kinds, item_ids=item_ids
            )
        )

    def generation(self) -> Generation:
        return self._connection.call(_generation)

    def add_chunks(
        self, projections: Sequence[Projection], fence: int, *, into: Generation | None = None
    ) -> None:
        self._write(lambda t: writing.add_chunks(t, projections, fence), into)

    def add_processed(
        self, projections: Sequence[Projection], fence: int, *, into: Generation | None = None
    ) -> None:
        self._write(lambda t: writing.add_processed(t, projections, fence), into)

    def drop_older(
        self, item_ids: Iterable[UUID], fence: int, *, into: Generation | None = None
    ) -> None:
        named = list(item_ids)
        self._write(lambda t: writing.drop_older(t, named, fence), into)

    def drop_fence(self, item_ids: Iterable[UUID], fence: int) -> None:
        named = list(item_ids)
        self._write(lambda t: writing.drop_fence(t, named, fence))

    def drop_items(self, item_ids: Iterable[UUID]) -> None:
        named = list(item_ids)
        self._write(lambda t: writing.drop_items(t, named))

    def drop_foreign(self, owners: Mapping[UUID, UUID]) -> None:
        self._write(lambda t: writing.drop_foreign(t, owners))

    def holding(self, item_ids: Iterable[UUID]) -> set[UUID]:
        named = list(item_ids)
        return self._connection.call(lambda t: self._reading.holding(t, named))

    def chunk_census(self, spec: str, among: Sequence[UUID] | None = None) -> Iterator[ChunkRows]:
        for batch in self._scan(lambda tables: tables.chunks, among):
            yield census.chunk_rows(batch, spec)

    def mark_census(self, spec: str, among: Sequence[UUID] | None = None) -> Iterator[MarkRows]:
        for batch in self._scan(lambda tables: tables.processed, among):
            yield census.mark_rows(batch, spec)

    def maintain(self) -> str:
        """Compact, prune and index what has grown; one process at a time.

        Deleted rows stay in their file until a compaction rewrites it, and for an hour after that
        in the files of old versions. To erase text at once, see ``maintenance``.
        """
        return self._connection.call(self._maintenance.run, deadline=DEADLINE)

    def sizes(self) -> Mapping[str, int]:
        return self._connection.call(_sizes)

    def probe(self) -> None:
        self._connection.call(probe)

    def _write(
        self, operation: Callable[[Tables], Awaitable[None]], into: Generation | None = None
    ) -> None:
        self._connection.call(operation, into=into, writes=True)

    def _scan(self, table: Callable[[Tables], Any], among: Sequence[UUID] | None) -> Iterator[Any]:
        """One batch ahead, so that LanceDB reads on while the last one is looked at."""
        scan = self._connection.call(lambda tables: census.Scan.of(table(tables), among))

        def following() -> Any:
            return self._connection.call(lambda _: scan.following(), deadline=CENSUS_DEADLINE)

        with ThreadPoolExecutor(1, "census") as ahead:
            coming = ahead.submit(following)
            while (batch := coming.result()) is not None:
                coming = ahead.submit(following)
                yield batch

    def close(self) -> None:
        """Let go of files and threads; a later call would open them again."""
        self._connection.close()


async def _generation(tables: Tables) -> Generation:
    return tables.generation


async def _sizes(tables: Tables) -> dict[str, int]:
    return {table.name: await table.count_rows() for table in (tables.chunks, tables.processed)}
