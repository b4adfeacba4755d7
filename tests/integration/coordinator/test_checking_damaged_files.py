"""What a check makes of damaged files: what it calls in step is what was written."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from atom_backend.domain.drift import Drift, DriftReport
from atom_backend.errors import VectorStoreUnavailable
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, Row, rows_by_item
from tests.making import a_document
from tests.stores import open_store

FLIPS = 12
BODY = 0.6
"""The part of a data file that surely holds rows; its description, at the end, can be damaged so
that LanceDB asks for more memory than there is and takes the process with it."""


@pytest.fixture
def full(stage: Stage) -> Stage:
    """With so many rows that most of each data file is rows."""
    for number in range(20):
        a_document(stage.transactions, stage.owner, f"Number {number}.\n\nSecond.\n\nThird.")
    stage.converge()
    stage.assert_in_step()
    return stage


def data_file(lance: Path, table: str) -> Path:
    return max((lance / f"{table}.lance" / "data").iterdir(), key=lambda file: file.stat().st_size)


def checked(stage: Stage, lance: Path) -> DriftReport:
    with closing(open_store(lance)) as vectors:
        return replace(stage, vectors=vectors).check().run()


def contents(lance: Path, table: str) -> dict[UUID, list[Row]]:
    rows = rows_by_item(lance, table)
    return {item: sorted(of_it, key=repr) for item, of_it in rows.items()}


@pytest.mark.parametrize("table", [CHUNKS, PROCESSED])
def test_a_flipped_bit_is_noticed_wherever_it_changes_a_row(
    full: Stage, table: str, tmp_path: Path
) -> None:
    sound = contents(full.lance, table)
    noticed = 0
    for number in range(FLIPS):
        lance = Path(shutil.copytree(full.lance, tmp_path / f"flip-{number}"))
        file = data_file(lance, table)
        held = bytearray(file.read_bytes())
        held[int(len(held) * BODY * (number + 0.5) / FLIPS)] ^= 1 << number % 8
        file.write_bytes(held)
        report = checked(full, lance)
        assert not report.in_step or contents(lance, table) == sound, f"flip number {number}"
        noticed += Drift.CORRUPT in report.counts
    assert noticed > FLIPS / 2


@pytest.mark.parametrize("table", [CHUNKS, PROCESSED])
def test_a_table_that_cannot_be_read_is_named_and_nothing_is_repaired(
    full: Stage, table: str, tmp_path: Path
) -> None:
    """Of what it holds nothing is known: to index it all anew there would not help."""
    lance = Path(shutil.copytree(full.lance, tmp_path / "truncated"))
    file = data_file(lance, table)
    file.write_bytes(file.read_bytes()[:100])
    with closing(open_store(lance)) as vectors:
        report = replace(full, vectors=vectors).repair().run()
    (said,) = report.drift.unreadable
    assert table in said
    assert "Run rebuild" in said
    assert (report.requeued, report.pruned, report.drift.counts) == (0, 0, {Drift.CORRUPT: 1})
    assert str(report) == str(report.drift)
    assert full.sql("select 1 from index_entries where state <> 'settled'") == []


def test_a_store_that_is_not_there_is_not_called_unreadable(full: Stage) -> None:
    """An outage passes by itself; to rebuild would be to answer the wrong question."""
    away = full.lance.with_name("away")

    def take_away(moment: tuple[str, str]) -> None:
        if moment == ("before", "mark_census"):
            full.lance.rename(away)

    with pytest.raises(VectorStoreUnavailable):
        full.check(take_away).run()
    away.rename(full.lance)
    assert full.check().run().in_step
