"""Damage, check, repair, converge: whatever is done to a store is called by its name and mended.

The check reports exactly that and changes nothing; the repair makes due or removes what is wrong;
a worker does the rest; then the check is clean, and another repair has nothing to do.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import lancedb
import pytest

from atom_backend.domain.drift import Drift, DriftReport, RepairReport
from tests.deterministic import indexer
from tests.integration.coordinator.damage import (
    LONG,
    SECOND,
    STRANGER,
    ZERO,
    Damage,
    change,
    lose,
    seal,
    store_twice,
)
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, out_of_step
from tests.making import a_document

EVERYTHING = "true"
BEYOND_ALL = 2**62 + 5

DAMAGED_TABLES: list[tuple[str, str, Damage]] = [
    ("unmarked", PROCESSED, lose(EVERYTHING)),
    ("hollow", CHUNKS, lose(EVERYTHING)),
    ("partial", CHUNKS, lose(SECOND)),
    ("partial", PROCESSED, change(None, "chunk_count", 4)),
    ("duplicate", PROCESSED, store_twice),
    ("duplicate", CHUNKS, store_twice),
    ("duplicate partial", CHUNKS, change(SECOND, "ordinal", 0)),
    ("duplicate partial", CHUNKS, change(SECOND, "ordinal", 3)),
    ("duplicate partial", CHUNKS, change(SECOND, "ordinal", -1)),
    ("orphaned unmarked", PROCESSED, change(None, "document_id", STRANGER)),
    ("orphaned partial", CHUNKS, change(SECOND, "document_id", STRANGER)),
    ("foreign", PROCESSED, change(None, "owner_id", STRANGER)),
    ("foreign", CHUNKS, change(SECOND, "owner_id", STRANGER)),
    ("stale", PROCESSED, change(None, "revision", 7)),
    ("stale", PROCESSED, change(None, "content_hash", bytes(32))),
    ("stale", CHUNKS, change(SECOND, "revision", 7)),
    ("stale", CHUNKS, change(SECOND, "fence", -1)),
    ("stale", CHUNKS, change(SECOND, "fence", 7_000_000)),
    ("stale", PROCESSED, change(None, "fence", 9_000_000)),
    ("stale", CHUNKS, change(None, "fence", BEYOND_ALL)),
    ("wrong_kind", CHUNKS, change(SECOND, "kind", "nonsense")),
    ("wrong_kind", PROCESSED, change(None, "kind", "nonsense")),
    ("wrong_kind", CHUNKS, change(SECOND, "kind", "task")),
    ("wrong_kind", PROCESSED, change(None, "kind", "memory")),
    ("corrupt", PROCESSED, change(None, "embedding", ZERO)),
    ("corrupt", CHUNKS, change(SECOND, "vector", ZERO)),
    ("corrupt", CHUNKS, change(SECOND, "vector", LONG)),
    ("wrong_spec", PROCESSED, change(None, "spec", "another")),
    ("wrong_spec", CHUNKS, change(SECOND, "spec", "another")),
]

UNSEALED_CHANGES: list[tuple[str, str, Any]] = [
    (CHUNKS, "chunk_id", STRANGER),
    (CHUNKS, "title", "Another"),
    (CHUNKS, "content", "Tides\nsomething else"),
    (CHUNKS, "start", 3),
    (CHUNKS, "end", 3),
    (CHUNKS, "owner_id", STRANGER),
    (CHUNKS, "revision", 7),
    (CHUNKS, "vector", [1.0, *ZERO[1:]]),
    (PROCESSED, "embedding", [1.0, *ZERO[1:]]),
    (PROCESSED, "content_hash", bytes(32)),
]

DAMAGED_ENTRIES = [
    ("stale", "update index_entries set indexed_revision = 9"),
    ("stale", "update items set content_revision = 2"),
    ("stale", "update index_entries set revision = 9, state = 'due'"),
    ("foreign", "update index_entries set owner_id = gen_random_uuid()"),
    ("wrong_spec", "update index_entries set spec = 'another'"),
    ("wrong_kind", "update index_entries set kind = 'task'"),
    ("wrong_kind", "update index_entries set kind = 'nonsense', state = 'due'"),
    ("partial", "update index_entries set chunk_count = 4"),
    ("duplicate partial", "update index_entries set chunk_count = 2"),
    ("stale", "update index_entries set fence = fence + 1"),
    ("missing", "delete from index_entries"),
    ("missing", "update index_entries set deleted = true, state = 'due'"),
    ("orphaned", "delete from items"),
    ("orphaned", "update index_entries set item_id = gen_random_uuid()"),
]


@pytest.fixture
def document_id(stage: Stage) -> UUID:
    document = a_document(stage.transactions, stage.owner, "First.\n\nSecond.\n\nThird.")
    stage.converge()
    stage.assert_in_step()
    return document.id


def table(stage: Stage, name: str) -> Any:
    return lancedb.connect(stage.lance).open_table(name)


def everything(stage: Stage) -> list[Any]:
    """All that a check might have changed in either store."""
    written = ["index_entries", "documents", "lease_fence"]
    rows = [stage.sql(f"select * from {name}") for name in written]
    return [*rows, *(table(stage, name).version for name in (CHUNKS, PROCESSED))]


def kinds(report: DriftReport) -> str:
    """The kinds of drift that one item is found to have, in alphabetic order."""
    assert set(report.counts.values()) <= {1}
    assert {one.drift for one in report.examples} == set(report.counts)
    return " ".join(sorted(report.counts))


def checked(stage: Stage) -> DriftReport:
    """What the check says of a damage, and a repair in its dry run as well.

    The invariants know the texts and nothing of checksums; they must see the damage too.
    """
    assert out_of_step(stage.sql, stage.lance, spec=indexer().spec) != []
    before = everything(stage)
    report = stage.check().run()
    would = stage.repair().run(dry_run=True)
    assert (kinds(would.drift), would.dry_run) == (kinds(report), True)
    assert everything(stage) == before
    return report


def mended(stage: Stage) -> RepairReport:
    """What the repair did, after which nothing is wrong any more."""
    report = stage.repair().run()
    stage.converge()
    stage.assert_in_step()
    assert stage.check().run().in_step
    again = stage.repair().run()
    assert (again.requeued, again.pruned) == (0, 0)
    return report


@pytest.mark.usefixtures("document_id")
def test_every_damage_to_lancedb_is_called_by_its_name_and_mended(stage: Stage) -> None:
    for number, (names, damaged, damage) in enumerate(DAMAGED_TABLES):
        damage(table(stage, damaged))
        seal(table(stage, damaged))
        assert kinds(checked(stage)) == names, f"damage number {number}"
        report = mended(stage)
        assert report.requeued == 1, f"damage number {number}"


@pytest.mark.usefixtures("document_id")
def test_whatever_is_changed_in_a_row_of_lancedb_is_noticed_and_mended(stage: Stage) -> None:
    for damaged, column, value in UNSEALED_CHANGES:
        change(SECOND if damaged == CHUNKS else None, column, value)(table(stage, damaged))
        assert Drift.CORRUPT in checked(stage).counts, f"{damaged}.{column}"
        mended(stage)


@pytest.mark.usefixtures("document_id")
@pytest.mark.parametrize(("names", "statement"), DAMAGED_ENTRIES)
def test_every_damage_to_postgresql_is_called_by_its_name_and_mended(
    stage: Stage, names: str, statement: str
) -> None:
    stage.sql(statement)
    found = checked(stage)
    if "item_id" in statement:
        assert found.counts == {Drift.MISSING: 1, Drift.ORPHANED: 1}
    else:
        assert kinds(found) == names
    mended(stage)
