"""Keeping the tables fast: compaction, pruning of old versions, and indexes.

Every small file costs each search a fraction of a millisecond, and rows that no index covers are
read one by one; both answers stay right, only slower. The caller sees to it that one process
maintains at a time. Invariants: no row is lost and no answer changes; versions younger than
``keep`` stay, because a reader may still be in the middle of one.

Erasure: a deleted row's text stays in its data file until that file is rewritten, which compaction
does only to small files and where more than a tenth of a file is deleted, and then for another
``keep`` in the old version. To erase at once: update the remaining rows of the file (which rewrites
them), run ``maintain`` until it has compacted, and wait ``keep``; or rebuild into new tables.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lancedb.index import IvfSq

from atom_backend.vectors.approximate import LARGE_OWNER
from atom_backend.vectors.connection import Tables
from atom_backend.vectors.durability import durable
from atom_backend.vectors.generations import discard_superseded
from atom_backend.vectors.probe import sweep
from atom_backend.vectors.translate import LANCE_ERRORS, Verdict, judge

DEADLINE = 1800.0
"""Seconds for one round: rebuilding a vector index over a million rows takes about a minute."""

_ATTEMPTS = 5
"""A compaction that lost to a writer is begun again this often in one round."""

_VECTOR_INDEX = "vector_at_"
"""Followed by the number of rows that the index was built on."""


@dataclass(frozen=True, slots=True)
class MaintenancePolicy:
    """When there is something to do.

    A row that the full-text index does not cover yet costs every search about 50 microseconds, so
    few may wait; but rounds take at most one part in ``share`` of the time. Tables that a rebuild
    has superseded stay so many seconds, for searches that began before the switch.
    """

    small_fragments: int = 64
    unindexed_rows: int = 200
    dirty_seconds: float = 5.0
    share: float = 10.0
    idle_seconds: float = 3600.0
    keep: timedelta = timedelta(hours=1)
    superseded_seconds: float = 600.0
    vector_index_rows: int = 100_000
    large_owner: int = LARGE_OWNER
    growth: float = 2.0
    segments: int = 20


@dataclass(slots=True)
class _Seen:
    """What this process knows of a table since it last put it in order."""

    version: int | None = None
    ordered_at: float = float("-inf")
    took: float = 0.0
    left: int = 0
    """Rows that were not indexed after all; the same number again and again will never be."""
    dirty_since: float | None = None


class Maintenance:
    """Remembers when it last did what; a new process begins by putting everything in order."""

    def __init__(self, policy: MaintenancePolicy) -> None:
        self._policy = policy
        self._seen: dict[str, _Seen] = {}

    async def run(self, tables: Tables) -> str:
        """One round; a sentence that says what was done."""
        done = []
        if abandoned := await sweep(tables.database):
            done.append(f"dropped {abandoned} abandoned probes")
        done += [
            f"dropped {name}"
            for name in await discard_superseded(tables, self._policy.superseded_seconds)
        ]
        async with durable(tables.folders):
            for table in (tables.chunks, tables.processed):
                if await self._due(table):
                    done += [f"{table.name}: {what}" for what in await self._order(table)]
        return "; ".join(done) or "nothing to do"

    async def _due(self, table: Any) -> bool:
        seen = self._seen.setdefault(table.name, _Seen())
        now, policy = time.monotonic(), self._policy
        if now - seen.ordered_at >= policy.idle_seconds:
            return True
        if await table.version() == seen.version:
            return False
        seen.dirty_since = seen.dirty_since or now
        if now - seen.ordered_at < seen.took * policy.share:
            return False
        if now - seen.dirty_since >= policy.dirty_seconds:
            return True
        stats = await table.stats()
        fragments = stats["fragment_stats"]["num_small_fragments"]
        return fragments > policy.small_fragments or (
            await _unindexed(table) >= policy.unindexed_rows
        )

    async def _order(self, table: Any) -> list[str]:
        begun = time.monotonic()
        waiting = await _unindexed(table)
        stats = await self._optimized(table)
        if stats is None:
            return ["postponed, because writers were quicker"]
        counted = (
            (stats.compaction.fragments_removed, "compacted {} fragments"),
            (waiting, "indexed {} rows"),
            (stats.prune.old_versions_removed, "pruned {} versions"),
        )
        done = [what.format(count) for count, what in counted if count]
        if "vector" in (await table.schema()).names:
            done += await self._index_vectors(table)
        version: int | None = await table.version()
        left = await _unindexed(table)
        stuck = left == waiting == self._seen[table.name].left
        if left and not stuck:
            # Somebody wrote meanwhile, and may not write again: there must be another round.
            version = None
        ended = time.monotonic()
        self._seen[table.name] = _Seen(version, ended, ended - begun, left)
        return done

    async def _optimized(self, table: Any) -> Any:
        """LanceDB's statistics; ``None`` where deletes kept changing the files being compacted."""
        for _ in range(_ATTEMPTS):
            try:
                return await table.optimize(cleanup_older_than=self._policy.keep)
            except LANCE_ERRORS as error:
                if judge(error) is not Verdict.RETRY:
                    raise
        return None

    async def _index_vectors(self, chunks: Any) -> list[str]:
        """Build the vector index once the table and one owner are large; again as they grow."""
        rows = await chunks.count_rows()
        if rows < self._policy.vector_index_rows:
            return []
        indexes = [i for i in await chunks.list_indices() if "vector" in i.columns]
        if any(self._serves(index, rows) for index in indexes):
            return []
        if not indexes and await _largest_owner(chunks) < self._policy.large_owner:
            return []
        for index in indexes:
            await chunks.drop_index(index.name)
        name = f"{_VECTOR_INDEX}{rows}"
        await chunks.create_index("vector", config=IvfSq(distance_type="cosine"), name=name)
        return [f"built a vector index over {rows} rows"]

    def _serves(self, index: Any, rows: int) -> bool:
        built_on = index.name.removeprefix(_VECTOR_INDEX)
        grown = not built_on.isdigit() or rows >= self._policy.growth * int(built_on)
        return not grown and index.num_segments <= self._policy.segments


async def _unindexed(table: Any) -> int:
    waiting: list[int] = [index.num_unindexed_rows for index in await table.list_indices()]
    return max(waiting, default=0)


async def _largest_owner(chunks: Any) -> int:
    owners = await chunks.query().select(["owner_id"]).to_arrow()
    counts = owners.group_by("owner_id").aggregate([([], "count_all")])["count_all"]
    return max(counts.to_pylist(), default=0)
