"""The judge of all other tests is judged: it names every damage, and where there is none, none."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import lancedb
import pytest

from tests.conftest import RunSql
from tests.integration.coordinator.damage import (
    SECOND,
    STRANGER,
    ZERO,
    Damage,
    change,
    lose,
    store_twice,
)
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, out_of_step
from tests.making import a_document

DAMAGED_TABLES: list[tuple[str, str, Damage]] = [
    ("missing", PROCESSED, lose("true")),
    ("partial", CHUNKS, lose(SECOND)),
    ("partial", CHUNKS, lose("true")),
    ("duplicate", PROCESSED, store_twice),
    ("duplicate", CHUNKS, store_twice),
    ("orphan", PROCESSED, change(None, "document_id", STRANGER)),
    ("orphan", CHUNKS, change(SECOND, "document_id", STRANGER)),
    ("foreign", PROCESSED, change(None, "owner_id", STRANGER)),
    ("foreign", CHUNKS, change(SECOND, "owner_id", STRANGER)),
    ("stale", PROCESSED, change(None, "revision", 7)),
    ("stale", PROCESSED, change(None, "content_hash", bytes(32))),
    ("stale", CHUNKS, change(SECOND, "revision", 7)),
    ("stale", CHUNKS, change(SECOND, "fence", 0)),
    ("stale", CHUNKS, change(SECOND, "title", "Another")),
    ("corrupt", CHUNKS, change(SECOND, "chunk_id", STRANGER)),
    ("corrupt", CHUNKS, change(SECOND, "content", "Tides\nsomething else")),
    ("corrupt", CHUNKS, change(SECOND, "start", 3)),
    ("kind", CHUNKS, change(SECOND, "kind", "nonsense")),
    ("kind", PROCESSED, change(None, "kind", "task")),
    ("spec", PROCESSED, change(None, "spec", "another")),
    ("spec", CHUNKS, change(SECOND, "spec", "another")),
    ("vector", PROCESSED, change(None, "embedding", ZERO)),
    ("vector", PROCESSED, change(None, "embedding", [1.0, *ZERO[1:]])),
    ("vector", CHUNKS, change(SECOND, "vector", ZERO)),
]

UNGUARDED = "alter table index_entries drop constraint index_entries_parked;"

DAMAGED_ENTRIES = [
    ("stale", "update index_entries set indexed_revision = 9"),
    ("stale", "update items set content_revision = 2"),
    ("foreign", "update index_entries set owner_id = gen_random_uuid()"),
    ("spec", "update index_entries set spec = 'another'"),
    ("kind", "update index_entries set kind = 'task'"),
    ("partial", "update index_entries set chunk_count = 4"),
    ("unsettled", "update index_entries set state = 'due'"),
    ("silent", UNGUARDED + "update index_entries set state = 'parked', reason = ''"),
    ("unannounced", "delete from index_entries"),
    ("orphan", "delete from items"),
    ("tombstone", "delete from items"),
]


@pytest.fixture
def document_id(stage: Stage) -> UUID:
    document = a_document(stage.transactions, stage.owner, "First.\n\nSecond.\n\nThird.")
    stage.converge()
    stage.assert_in_step()
    return document.id


def names(sql: RunSql, lance: Path, spec: str | None = None) -> set[str]:
    return {fault.partition(":")[0] for fault in out_of_step(sql, lance, spec=spec)}


@pytest.mark.usefixtures("document_id")
def test_every_damage_to_lancedb_is_called_by_its_name(stage: Stage, tmp_path: Path) -> None:
    for number, (name, table, damage) in enumerate(DAMAGED_TABLES):
        lance = Path(shutil.copytree(stage.lance, tmp_path / f"damage-{number}"))
        damage(lancedb.connect(lance).open_table(table))
        assert name in names(stage.sql, lance), f"damage number {number}"


@pytest.mark.usefixtures("document_id")
@pytest.mark.parametrize(("name", "statement"), DAMAGED_ENTRIES)
def test_every_damage_to_postgresql_is_called_by_its_name(
    stage: Stage, name: str, statement: str
) -> None:
    stage.sql(statement)
    assert name in names(stage.sql, stage.lance)


@pytest.mark.usefixtures("document_id")
def test_a_spec_that_nobody_asked_for_is_a_fault(stage: Stage) -> None:
    assert names(stage.sql, stage.lance, spec="another") == {"spec"}
