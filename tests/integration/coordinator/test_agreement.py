"""Whose store it is, and which tables count: at the first start, after a loss, after a restore."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing

import lancedb
import pytest

from atom_backend.clock import new_id
from atom_backend.coordinator.agreement import Agreement, StoreIdentity
from atom_backend.domain.generations import Generation, Pointer
from atom_backend.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from atom_backend.vectors.generations import LanceGenerations
from tests.conftest import STORE_ID
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document
from tests.stores import open_generations
from tests.watching import FailingAt, Killed, KilledAt, watched_generations, watched_transactions

POINTER = f"{CHUNKS}.current"


@pytest.fixture
def generations(stage: Stage) -> Iterator[LanceGenerations]:
    with closing(open_generations(stage.lance)) as opened:
        yield opened


@pytest.fixture
def agreement(stage: Stage, generations: LanceGenerations) -> Agreement:
    return Agreement(stage.transactions, generations)


@pytest.fixture
def indexed(stage: Stage) -> Stage:
    """With one document in both stores."""
    a_document(stage.transactions, stage.owner)
    stage.converge()
    return stage


def recorded(stage: Stage) -> Generation | None:
    with stage.transactions.worker() as work:
        return work.store.read()


def forget(stage: Stage) -> None:
    """As in a database that has just been made."""
    stage.sql("delete from vector_store")


def pointer_of(generations: LanceGenerations) -> Pointer:
    pointer = generations.pointer()
    assert pointer is not None
    return pointer


def test_a_first_start_makes_a_store_and_a_second_finds_nothing_to_do(
    stage: Stage, agreement: Agreement, generations: LanceGenerations
) -> None:
    shutil.rmtree(stage.lance)
    forget(stage)

    assert "made table" in agreement.prepare()
    made = recorded(stage)
    assert made is not None
    assert made == Generation(pointer_of(generations).store, 1)
    assert agreement.prepare() == "LanceDB: nothing to do."
    assert recorded(stage) == made
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.assert_in_step()


FIRST_START = [
    ("after", "read"),
    ("after", "pointer"),
    ("after", "make"),
    ("before", "point"),
    ("after", "point"),
    ("within", "write"),
    ("after", "write"),
]


@pytest.mark.parametrize("moment", FIRST_START, ids=" ".join)
def test_a_first_start_that_is_killed_is_completed_by_the_next(
    stage: Stage, agreement: Agreement, generations: LanceGenerations, moment: tuple[str, str]
) -> None:
    shutil.rmtree(stage.lance)
    forget(stage)
    killed = KilledAt(moment)
    with pytest.raises(Killed):
        Agreement(
            watched_transactions(stage.transactions, killed),
            watched_generations(generations, killed),
        ).prepare()

    agreement.prepare()
    assert recorded(stage) == Generation(pointer_of(generations).store, 1)
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.assert_in_step()


def test_a_lost_store_is_reported_and_no_hollow_one_is_made_in_its_place(
    indexed: Stage, agreement: Agreement
) -> None:
    shutil.rmtree(indexed.lance)
    with pytest.raises(VectorStoreUnavailable, match=r"mount it .* or run the command rebuild"):
        agreement.prepare()
    assert not indexed.lance.exists()

    indexed.lance.mkdir()
    with pytest.raises(VectorStoreUnavailable, match="mount it"):
        agreement.prepare()
    assert list(indexed.lance.iterdir()) == []


def test_a_store_of_which_everything_is_to_be_made_again_is_lost_too(
    indexed: Stage, agreement: Agreement
) -> None:
    indexed.sql("update index_entries set state = 'due', indexed_revision = 0")
    shutil.rmtree(indexed.lance)
    with pytest.raises(VectorStoreUnavailable):
        agreement.prepare()


def test_a_lost_table_is_reported_and_not_made_anew(indexed: Stage, agreement: Agreement) -> None:
    shutil.rmtree(indexed.lance / f"{PROCESSED}.lance")
    with pytest.raises(VectorStoreUnavailable, match=f"{PROCESSED} is missing"):
        agreement.prepare()
    assert not (indexed.lance / f"{PROCESSED}.lance").exists()


def test_what_is_lost_before_anything_was_indexed_is_simply_made_again(
    stage: Stage, agreement: Agreement
) -> None:
    waiting = a_document(stage.transactions, stage.owner)
    shutil.rmtree(stage.lance / f"{CHUNKS}.lance")
    assert f"made table {CHUNKS}" in agreement.prepare()
    shutil.rmtree(stage.lance)
    assert f"made table {CHUNKS}" in agreement.prepare()
    assert recorded(stage) == Generation(STORE_ID, 1)
    stage.converge()
    assert stage.rows(CHUNKS, waiting.id)


def test_a_missing_index_is_made_beside_rows(indexed: Stage, agreement: Agreement) -> None:
    lancedb.connect(indexed.lance).open_table(CHUNKS).drop_index("content_idx")
    assert agreement.prepare() == f"LanceDB: made index {CHUNKS}.content."
    indexed.assert_in_step()


def test_the_store_of_another_database_is_left_alone_and_nothing_is_indexed_in_it(
    indexed: Stage, agreement: Agreement, generations: LanceGenerations
) -> None:
    before = recorded(indexed)
    generations.point(Pointer(new_id(), 1))
    for call in (agreement.prepare, agreement.reach):
        with pytest.raises(VectorStoreUnavailable, match="belongs to another database"):
            call()
    assert recorded(indexed) == before

    late = a_document(indexed.transactions, indexed.owner)
    assert indexed.relay().run_once().settled == 0
    assert indexed.entry(late.id).indexed_revision == 0


def test_a_new_database_does_not_take_over_a_store_with_rows(
    indexed: Stage, agreement: Agreement
) -> None:
    forget(indexed)
    with pytest.raises(ConfigurationError, match="rows of another database"):
        agreement.prepare()
    (indexed.lance / POINTER).unlink()
    indexed.sql("update index_entries set settled_at = null")
    with pytest.raises(ConfigurationError, match="rows of another database"):
        agreement.prepare()
    assert recorded(indexed) is None


def test_a_worker_without_a_record_confirms_nothing(stage: Stage) -> None:
    forget(stage)
    document = a_document(stage.transactions, stage.owner)
    report = stage.relay().run_once()
    assert (report.settled, report.outage) == (0, "lancedb_unavailable")
    assert stage.entry(document.id).state == "due"


def test_a_damaged_pointer_is_reported(indexed: Stage, agreement: Agreement) -> None:
    (indexed.lance / POINTER).write_text("?")
    for call in (agreement.prepare, agreement.reach):
        with pytest.raises(VectorStoreCorrupt, match="rebuild"):
            call()


def test_an_interrupted_switch_is_completed_by_any_worker(
    stage: Stage, agreement: Agreement, generations: LanceGenerations
) -> None:
    generations.make(2)
    generations.point(Pointer(STORE_ID, 1, building=2, ready=True))
    stage.sql("update vector_store set generation = 2")

    assert agreement.reach() == "Generation 2 of the tables is the current one now."
    assert pointer_of(generations) == Pointer(STORE_ID, 2)
    assert agreement.reach() == "The tables are the current ones."
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.assert_in_step()


@pytest.mark.parametrize("record", [1, 3])
def test_after_a_restore_of_one_store_the_tables_that_are_there_count(
    stage: Stage, agreement: Agreement, generations: LanceGenerations, record: int
) -> None:
    generations.make(2)
    generations.point(Pointer(STORE_ID, 2))
    stage.sql("update vector_store set generation = :record", record=record)

    agreement.prepare()
    assert recorded(stage) == Generation(STORE_ID, 2)
    assert pointer_of(generations) == Pointer(STORE_ID, 2)
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.assert_in_step()


def test_a_first_rebuild_that_is_not_done_yet_is_waited_for(
    indexed: Stage, agreement: Agreement, generations: LanceGenerations
) -> None:
    generations.point(Pointer(STORE_ID, None, building=2))
    with pytest.raises(VectorStoreUnavailable, match="being rebuilt"):
        agreement.prepare()
    assert agreement.reach() == "The first tables are still being rebuilt."
    with pytest.raises(VectorStoreUnavailable, match="still being rebuilt"):
        indexed.vectors.sizes()


def test_the_identity_is_asked_for_until_it_is_known(stage: Stage) -> None:
    now = [0.0]
    down = FailingAt(("before", "read"), DatabaseUnavailable())
    transactions = watched_transactions(stage.transactions, down)
    identity = StoreIdentity(transactions, lambda: now[0])
    assert identity() is None, "PostgreSQL is down"
    assert identity() is None, "and is not asked by every call"
    now[0] += 2
    assert identity() == STORE_ID
    forget(stage)
    assert identity() == STORE_ID
