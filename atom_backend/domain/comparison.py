"""What PostgreSQL wants against what the vector store holds, as the rows pass.

A settled item must have exactly one processed row and its chunks 0 to n-1 once each, all of its
owner, kind, revision, content, spec and fence (or a rebuild's). Of an item in flight, or parked,
only what can never be right is a fault: rows of another owner, and an entry that contradicts the
item's own row.
Invariant: only counters by item are kept, so that memory does not grow with chunks or vectors.
"""

from __future__ import annotations

from uuid import UUID

import numpy as np

from atom_backend.domain.census import (
    IDENTIFIER,
    NO_ENTRY,
    SETTLED,
    STATES,
    ChunkRows,
    Column,
    MarkRows,
    Table,
    as_column,
    as_uuid,
)
from atom_backend.domain.drift import Drift
from atom_backend.domain.generations import REBUILT

UNUSABLE_FENCE = 1 << 62
"""No lease is ever given so high a fence: a row that carries one was not written by a worker."""

VERDICT = np.dtype(
    [
        ("item", IDENTIFIER),
        ("owner", IDENTIFIER),
        ("fence", "i8"),
        ("faults", "u2"),
        ("settled", "?"),
        ("known", "?"),
        ("contradicted", "?"),
    ]
)
"""An item that is out of step. ``faults``: a bit for every kind of drift. ``fence``: of its entry,
which says that all is well where it is ``settled``. ``known``: PostgreSQL knows the item, and
``owner`` is right. ``contradicted``: entry and item do not agree, whatever the vector store holds.
"""

_NOBODY = np.empty(0, IDENTIFIER)
_BIT = {drift: np.uint16(1 << place) for place, drift in enumerate(Drift)}


class Comparison:
    """Takes the rows in any order and in any portions."""

    def __init__(self, wanted: Table) -> None:
        self.chunks_read = 0
        self.highest_fence = 0
        self.unusable_fences: dict[int, set[UUID]] = {}
        self._wanted = wanted
        self._items = np.ascontiguousarray(wanted["item"])
        self._owner = np.where(wanted["has_source"], wanted["source_owner"], wanted["owner"])
        self._settled = (wanted["state"] == SETTLED) & wanted["has_source"]
        self._faults = np.zeros(len(wanted), np.uint16)
        self._marks = np.zeros(len(wanted), np.int64)
        self._chunks = np.zeros(len(wanted), np.int64)
        self._ordinals = np.zeros(len(wanted), np.uint64)
        self._strangers = [_NOBODY]
        self._compare_with_sources()
        self._contradicted = self._faults > 0
        self._add(Drift.STALE, self._settled & (wanted["indexed_revision"] != wanted["revision"]))
        self._add(Drift.WRONG_SPEC, self._settled & ~wanted["current_spec"])

    def add_chunks(self, rows: ChunkRows) -> None:
        self.chunks_read += len(rows.item)
        known, place = self._find(rows)
        self._weigh(rows, known, place)
        np.add.at(self._chunks, place, 1)
        np.add.at(self._ordinals, place, _scrambled(rows.ordinal[known]))

    def add_marks(self, rows: MarkRows) -> None:
        known, place = self._find(rows)
        self._weigh(rows, known, place)
        wanted = self._wanted
        self._note(Drift.STALE, place, rows.hash[known] != wanted["hash"][place])
        self._note(Drift.PARTIAL, place, rows.chunk_count[known] != wanted["chunk_count"][place])
        np.add.at(self._marks, place, 1)

    def verdicts(self, excused: Column = _NOBODY) -> Table:
        """Who is out of step, except for these items; each once, those nobody knows last."""
        self._count()
        guilty = (self._faults > 0) & ~np.isin(self._items, excused)
        strangers = np.setdiff1d(np.concatenate(self._strangers), excused)
        found = np.zeros(np.count_nonzero(guilty) + len(strangers), VERDICT)
        known, unknown = np.split(found, [len(found) - len(strangers)])
        known["item"] = self._items[guilty]
        known["owner"] = self._owner[guilty]
        known["fence"] = self._wanted["fence"][guilty]
        known["faults"] = self._faults[guilty]
        known["settled"] = self._settled[guilty]
        known["known"] = True
        known["contradicted"] = self._contradicted[guilty]
        unknown["item"] = strangers
        unknown["faults"] = _BIT[Drift.ORPHANED]
        return found

    def describe(self, item_id: UUID) -> str:
        """What both stores say about one item."""
        (item,) = as_column([item_id])
        place = int(np.searchsorted(self._items, item))
        if place == len(self._items) or self._items[place] != item:
            return "LanceDB holds rows of an item that PostgreSQL does not know"
        one = self._wanted[place]
        entry = "no index entry"
        if one["state"] != NO_ENTRY:
            entry = (
                f"an entry {STATES[one['state']]} at revision {one['revision']} with "
                f"{one['chunk_count']} chunks under fence {one['fence']}"
            )
        item_row = f"the item at {one['source_revision']}" if one["has_source"] else "no item"
        held = f"{self._marks[place]} processed rows and {self._chunks[place]} chunks"
        return f"PostgreSQL has {entry} and {item_row}; LanceDB has {held}"

    def _compare_with_sources(self) -> None:
        wanted = self._wanted
        entry, source = wanted["state"] != NO_ENTRY, wanted["has_source"]
        live, both = entry & ~wanted["deleted"], entry & source
        self._add(Drift.MISSING, source & ~live)
        self._add(Drift.ORPHANED, live & ~source)
        self._add(Drift.FOREIGN, both & (wanted["owner"] != wanted["source_owner"]))
        self._add(Drift.WRONG_KIND, both & (wanted["kind"] != wanted["source_kind"]))
        self._add(Drift.STALE, live & source & (wanted["revision"] != wanted["source_revision"]))

    def _find(self, rows: ChunkRows | MarkRows) -> tuple[Column, Column]:
        """Which rows are of a known item, and the place of each such row's item."""
        place = np.searchsorted(self._items, rows.item)
        known = place < len(self._items)
        known[known] = self._items[place[known]] == rows.item[known]
        self._strangers.append(np.unique(rows.item[~known]))
        return known, place[known]

    def _weigh(self, rows: ChunkRows | MarkRows, known: Column, place: Column) -> None:
        """Hold against an item what is wrong with its rows, whichever table they are in."""
        wanted = self._wanted
        fence, revision = rows.fence[known], rows.revision[known]
        self._faults[place[rows.owner[known] != self._owner[place]]] |= _BIT[Drift.FOREIGN]
        self._note(Drift.CORRUPT, place, ~rows.sound[known])
        self._note(Drift.WRONG_SPEC, place, ~rows.current_spec[known])
        self._note(Drift.WRONG_KIND, place, rows.kind[known] != wanted["source_kind"][place])
        self._note(Drift.STALE, place, revision != wanted["revision"][place])
        other = (fence != wanted["fence"][place]) & (fence != REBUILT)
        self._note(Drift.STALE, place, other)
        usable = rows.fence < UNUSABLE_FENCE
        self.highest_fence = int(np.max(rows.fence[usable], initial=self.highest_fence))
        for one, item in zip(rows.fence[~usable], rows.item[~usable], strict=True):
            self.unusable_fences.setdefault(int(one), set()).add(as_uuid(item))

    def _count(self) -> None:
        marks, chunks, settled = self._marks, self._chunks, self._settled
        count = self._wanted["chunk_count"].astype(np.int64)
        differ = (chunks == count) & (self._ordinals != self._expected(count))
        self._add(Drift.MISSING, settled & (marks == 0) & (chunks == 0))
        self._add(Drift.UNMARKED, settled & (marks == 0) & (chunks > 0))
        self._add(Drift.HOLLOW, settled & (marks > 0) & (chunks == 0))
        self._add(Drift.DUPLICATE, settled & ((marks > 1) | (chunks > count) | differ))
        self._add(Drift.PARTIAL, settled & (chunks > 0) & ((chunks < count) | differ))

    def _expected(self, count: Column) -> Column:
        """The sum of the scrambled ordinals 0 to n-1, where there can be so many chunks."""
        most = min(int(np.max(count, initial=0)), self.chunks_read)
        sums = np.zeros(most + 1, np.uint64)
        np.cumsum(_scrambled(np.arange(most)), out=sums[1:])
        expected: Column = sums[np.clip(count, 0, most)]
        return expected

    def _note(self, drift: Drift, place: Column, wrong: Column) -> None:
        """Something is wrong with rows of these items; it matters where the item is settled."""
        self._faults[place[wrong & self._settled[place]]] |= _BIT[drift]

    def _add(self, drift: Drift, items: Column) -> None:
        self._faults[items] |= _BIT[drift]


def has(verdicts: Table, drift: Drift) -> Column:
    """Which of the verdicts name this kind of drift."""
    return (verdicts["faults"] & _BIT[drift]) > 0


def _scrambled(ordinals: Column) -> Column:
    """Numbers of which no two small sets have the same sum: SplitMix64's output function.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    mixed = (ordinals.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
