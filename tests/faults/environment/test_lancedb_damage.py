"""Files of LanceDB are damaged, before it is opened and while it is open (I1, I2, I4, I5, I6).

Whatever the damage, searches find everything of their owner and nothing else, by LanceDB or, marked
as degraded, by PostgreSQL; no item is parked for it; health says so as soon as anything does not
work; and once the file is whole again, so is everything, without a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import lancedb
import pyarrow as pa
import pytest

from atom_backend.clock import new_id
from atom_backend.domain.search import Degraded, Leg, SearchMode
from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from atom_backend.vectors.store import LanceVectorStore
from tests.deterministic import BagOfWords
from tests.integration.coordinator.conftest import empty_tables, stage
from tests.integration.coordinator.rebuilding import rebuild
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import ask, fill, found
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document, a_user
from tests.stores import open_store

__all__ = ["empty_tables", "stage"]

Damage = Callable[[Path], None]


def _halve(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _invert(path: Path) -> None:
    path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))


DAMAGES: dict[str, Damage] = {
    "cut in half": _halve,
    "overwritten": _invert,
    "removed": Path.unlink,
}
PARTS = ("_versions", "data", "_indices", "_deletions", "_transactions")


@pytest.fixture
def full(stage: Stage) -> Stage:
    """Every kind of file is on the disk, and nothing of them in memory."""
    fill(stage, [f"The moon has {number} tides.\n\nA tide." for number in range(4)])
    fill(stage, ["The moon and the tides of somebody else."] * 3, a_user(stage.transactions))
    stage.vectors.maintain()
    gone, _ = fill(stage, ["A moon and tides that are soon gone.", "The moon and tides that stay."])
    stage.documents.remove(stage.owner, gone)
    stage.converge()
    stage.vectors.close()
    return stage


def mine(stage: Stage) -> set[UUID]:
    owner = stage.owner.user_id
    return {row.id for row in stage.sql("select id from items where owner_id = :o", o=owner)}


@contextmanager
def damaged(files: list[Path], damage: Damage) -> Iterator[None]:
    """The files themselves come back afterwards; what was written meanwhile stays."""
    sound = {file: file.read_bytes() for file in files}
    for file in files:
        damage(file)
    try:
        yield
    finally:
        for file, content in sound.items():
            file.write_bytes(content)


def searches_work(stage: Stage, store: LanceVectorStore) -> bool:
    """Whether all by LanceDB itself; they find everything in any case."""
    degraded: set[Degraded] = set()
    for mode in SearchMode:
        answer = ask(stage, "moon and tides", mode=mode, vectors=store)
        assert set(found(answer)) == mine(stage), (mode, answer)
        assert (answer.legs == (Leg.POSTGRESQL,)) == (answer.degraded == (Degraded.LANCEDB,))
        degraded.update(answer.degraded)
    return not degraded


def writes_work(stage: Stage, store: LanceVectorStore) -> bool:
    """Whether a new document gets indexed; if not, it waits, with a reason and without a stain."""
    document = a_document(stage.transactions, stage.owner, "A new moon, and tides.")
    report = replace(stage, vectors=store).relay().run_once()
    assert (report.leased, report.parked) == (1, 0)
    entry = stage.entry(document.id)
    assert entry.state == "settled" or (entry.state == "due" and entry.reason)
    assert entry.attempts == 0
    return bool(entry.state == "settled")


def is_well(store: LanceVectorStore) -> bool:
    try:
        store.probe()
    except AtomError:
        return False
    return True


def assert_rebuilt(stage: Stage) -> None:
    """What the operator does where nothing else helps: afterwards everything is as it was."""
    rebuild(stage)
    stage.converge()
    stage.assert_in_step()
    with closing(open_store(stage.lance)) as store:
        assert searches_work(stage, store)
        assert is_well(store)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("table", [CHUNKS, PROCESSED])
def test_a_damaged_file_costs_no_result_and_parks_nothing_and_is_seen(
    full: Stage, table: str, part: str
) -> None:
    for name, damage in DAMAGES.items():
        files = [f for f in (full.lance / f"{table}.lance" / part).rglob("*") if f.is_file()]
        assert files
        with closing(open_store(full.lance)) as running:
            assert searches_work(full, running)
            with damaged(files, damage), closing(open_store(full.lance)) as fresh:
                searches_work(full, running)
                searching, writing = searches_work(full, fresh), writes_work(full, fresh)
                assert is_well(fresh) <= (searching and writing), name
            full.let_time_pass()
            full.converge()
            full.assert_in_step()
            assert searches_work(full, running)
            assert is_well(running)
        full.vectors.close()


def reattribute(stage: Stage, part: str, owner: UUID, other: UUID) -> None:
    """Damage that nothing of LanceDB notices: rows change their owner, in one place of two."""
    with closing(open_store(stage.lance)) as store:
        store.maintain()
    changed = 0
    for file in (stage.lance / f"{CHUNKS}.lance" / part).rglob("*.lance"):
        sound = file.read_bytes()
        file.write_bytes(sound.replace(owner.bytes, other.bytes))
        changed += file.read_bytes() != sound
    assert changed
    stage.sql("update index_entries set settled_at = now() - interval '1 hour'")


@pytest.mark.parametrize("mode", SearchMode)
def test_an_index_that_finds_nobody_is_not_believed(full: Stage, mode: SearchMode) -> None:
    reattribute(full, "_indices", full.owner.user_id, new_id())
    with closing(open_store(full.lance)) as store:
        answer = ask(full, "moon and tides", mode=mode, vectors=store)
    assert (answer.degraded, set(found(answer))) == ((Degraded.LANCEDB,), mine(full))
    assert_rebuilt(full)


def test_an_index_that_finds_somebody_else_is_not_believed_whoever_else_is_down(
    full: Stage,
) -> None:
    reattribute(full, "data", full.owner.user_id, new_id())
    question = BagOfWords().embed(["moon and tides"])[0]
    with closing(open_store(full.lance)) as store:
        for vector, text in ((question, None), (None, "moon and tides")):
            with pytest.raises(VectorStoreCorrupt):
                store.search(full.owner.scope, vector=vector, text=text, depth=9)
        for document in mine(full):
            with pytest.raises(VectorStoreCorrupt):
                store.chunks(full.owner.scope, document)


def test_an_owner_without_anything_that_fits_is_told_so(full: Stage) -> None:
    full.sql("update index_entries set settled_at = now() - interval '1 hour'")
    stranger = a_user(full.transactions)
    for answer in (
        ask(full, "mountains", mode=SearchMode.TEXT),
        ask(full, "moon", by=stranger),
        ask(full, "moon", min_score=1.1),
    ):
        assert (answer.degraded, answer.results) == ((), ())


@pytest.mark.parametrize("table", [CHUNKS, PROCESSED])
def test_a_table_that_was_dropped_by_hand_is_an_outage_and_stays_dropped(
    full: Stage, table: str
) -> None:
    lancedb.connect(full.lance).drop_table(table)
    with closing(open_store(full.lance)) as store:
        assert not searches_work(full, store)
        assert not writes_work(full, store)
        with pytest.raises(VectorStoreUnavailable, match=table):
            store.probe()
    assert not (full.lance / f"{table}.lance").exists()
    assert_rebuilt(full)


@pytest.mark.parametrize("table", [CHUNKS, PROCESSED])
def test_a_table_of_another_version_is_searched_around_and_said_to_be_one(
    full: Stage, table: str
) -> None:
    database = lancedb.connect(full.lance)
    of_today: pa.Schema = database.open_table(table).schema
    earlier = of_today.remove(of_today.get_field_index("fence"))
    database.create_table(table, schema=earlier, mode="overwrite")
    with closing(open_store(full.lance)) as store:
        assert not searches_work(full, store)
        assert not writes_work(full, store)
        with pytest.raises(ConfigurationError, match=f"{table}.*another version"):
            store.probe()
    assert_rebuilt(full)
