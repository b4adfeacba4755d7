"""What a rebuild has to bring into fresh tables, and the report about it.

Invariant: whatever a search could find in the tables of before is wanted in the fresh ones, as its
own row has it now; what waits for an operator (parked) cannot be made and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from atom_backend.domain.census import (
    DUE,
    NO_ENTRY,
    PARKED,
    SETTLED,
    Column,
    MarkRows,
    Table,
    touched,
)
from atom_backend.domain.drift import RepairReport
from atom_backend.domain.generations import REBUILT


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What one rebuild did; under ``dry_run``, what it would have done.

    ``generation``: of the new tables. ``items``: written into them. ``parked``: left out, because
    they wait for an operator. ``refused``: left out, because no projection can be made of them;
    workers park them with the reason. ``accepted``: entries that needed no worker any more.
    """

    generation: int
    items: int
    parked: int
    refused: int = 0
    accepted: int = 0
    repair: RepairReport | None = None
    dry_run: bool = False
    seconds: float = 0.0

    def __str__(self) -> str:
        left = f"{self.parked} parked items are left out"
        if self.dry_run:
            return f"Would write {self.items} items into generation {self.generation}; {left}."
        said = (
            f"Wrote {self.items} items into generation {self.generation} in {self.seconds:.1f} s "
            f"and switched to it; {left}"
        )
        said += f", {self.refused} could not be made" if self.refused else ""
        return f"{said}. {self.repair}" if self.repair else f"{said}."


@dataclass(frozen=True, slots=True)
class Lacking:
    """What fresh tables lack: items to drop first, and then items to write."""

    drop: Column
    write: Column


def needed(wanted: Table) -> Table:
    """The records of ``wanted`` that belong into fresh tables, as if a rebuild had settled them.

    Also items that wait for a worker: a search finds them in their last revision until then.
    """
    live = wanted["has_source"] & (wanted["state"] != NO_ENTRY) & (wanted["state"] != PARKED)
    chosen: Table = wanted[live & ~wanted["deleted"]]
    chosen["state"] = SETTLED
    chosen["owner"] = chosen["source_owner"]
    chosen["revision"] = chosen["indexed_revision"] = chosen["source_revision"]
    chosen["fence"] = REBUILT
    chosen["current_spec"] = True
    chosen["chunk_count"] = 0
    return chosen


def parked(wanted: Table) -> int:
    """How many items wait for an operator."""
    return int(np.count_nonzero(wanted["state"] == PARKED))


def count_chunks(chosen: Table, rows: MarkRows) -> None:
    """Take each item's number of chunks from its processed row: only the model knows it."""
    known, place = located(chosen, rows.item)
    chosen["chunk_count"][place] = rows.chunk_count[known]


def overtaken(before: Table, after: Table) -> Lacking:
    """What workers have settled, and users have deleted, between two censuses."""
    items = touched(before, after)
    settled = after["item"][after["state"] == SETTLED]
    wanted = needed(after)["item"]
    write = items[np.isin(items, settled) & np.isin(items, wanted)]
    gone = items[~np.isin(items, wanted)]
    return Lacking(np.concatenate([gone, write]), write)


def unaccepted(wanted: Table) -> Table:
    """The entries that a worker would have to see to, or had to under another spec."""
    live = wanted["has_source"] & ~wanted["deleted"]
    waiting = np.isin(wanted["state"], (DUE, SETTLED)) & live
    chosen: Table = wanted[waiting & (wanted["revision"] == wanted["source_revision"])]
    return chosen


def acceptable(entries: Table, marks: MarkRows) -> Iterator[tuple[bytes, int, int]]:
    """Item, revision and number of chunks of the entries that these processed rows satisfy."""
    known, place = located(entries, marks.item)
    entry, counts = entries[place], marks.chunk_count[known]
    right = marks.current_spec[known] & marks.sound[known]
    right &= marks.revision[known] == entry["revision"]
    right &= marks.kind[known] == entry["source_kind"]
    said = (entry["state"] == SETTLED) & entry["current_spec"] & (entry["chunk_count"] == counts)
    right &= ~said
    columns = (entry["item"], entry["revision"], counts)
    yield from zip(*(column[right].tolist() for column in columns), strict=True)


def located(table: Table, items: Column) -> tuple[Column, Column]:
    """Which of the items the table has, and the place of each of those."""
    place = np.searchsorted(table["item"], items)
    known = place < len(table)
    known[known] = table["item"][place[known]] == items[known]
    return known, place[known]
