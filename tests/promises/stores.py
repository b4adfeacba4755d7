"""I2, I3, I5 and I8 where it concerns LanceDB: both stores, read directly once all is quiet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.conftest import RunSql
from tests.invariants import CHUNKS, out_of_step, rows_by_item
from tests.promises.expected import Life, expected
from tests.promises.history import History

_I3 = {"orphan"}
_I5 = {"unsettled", "silent", "unannounced", "tombstone"}

_WAITING = """
    select item_id, state, deleted, attempts, reason,
        extract(epoch from clock_timestamp() - requested_at) as waits
    from index_entries where state in ('due', 'leased') or deleted
"""
_SILENT = "select item_id from index_entries where state = 'parked' and coalesce(reason, '') = ''"
_PARKED = "select item_id, reason from index_entries where state = 'parked'"


def out_of_order(sql: RunSql, lance: Path, *, spec: str | None = None) -> list[str]:
    """Violations of I2, I3 and I5, as ``tests.invariants`` finds them."""
    return [f"{_promise(fault)}: {fault}" for fault in out_of_step(sql, lance, spec=spec)]


def still_waiting(sql: RunSql) -> list[str]:
    """Violations of I5 once everything has had its time: entries that wait, or hide a reason."""
    waiting = [
        f"I5: {row.item_id} is {row.state} after {row.waits:.0f} s and {row.attempts} attempts"
        f"{', deleted' if row.deleted else ''}: {row.reason}"
        for row in sql(_WAITING)
    ]
    silent = [f"I5: {row.item_id} is parked without a reason" for row in sql(_SILENT)]
    return waiting + silent


def parked(sql: RunSql) -> dict[UUID, str]:
    """The parked items and why; where no item is to blame, each of them was wronged."""
    return {row.item_id: row.reason for row in sql(_PARKED)}


def overwritten(history: History, lance: Path) -> list[str]:
    """Violations of I8: items of which LanceDB holds another text than the last one."""
    known = expected(history)
    chunks = rows_by_item(lance, CHUNKS)
    words = {word: write.number for word, write in known.words.items()}
    found: list[str] = []
    for life in known.lives.values():
        if life.must_exist:
            found += _not_the_last(life, chunks.get(life.item, []), words)
    return [f"I8: {violation}" for violation in found]


def _not_the_last(
    life: Life, rows: list[dict[str, Any]], words: Mapping[str, int]
) -> Iterator[str]:
    allowed = {word for text in life.admissible("text") for word in text.split()}
    allowed |= {word for title in life.admissible("title") for word in title.split()}
    latest = life.latest("text")
    for row in rows:
        of_others = {word for word in row["content"].split() if word in words} - allowed
        if of_others:
            numbers = sorted({words[word] for word in of_others})
            yield (
                f"chunk {row['ordinal']} of {life.item} is of operation {numbers[0]}, "
                f"not of {latest.number if latest else 'any'}"
            )


def _promise(fault: str) -> str:
    name = fault.partition(":")[0]
    if name in _I3:
        return "I3"
    return "I5" if name in _I5 else "I2"
