"""The pointer to the current tables: replaced whole, seen at once, never guessed."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import lancedb
import pytest

from atom_backend.domain.generations import Generation, Pointer
from atom_backend.domain.items import Projection
from atom_backend.domain.principals import OwnerScope
from atom_backend.errors import VectorStoreCorrupt, VectorStoreUnavailable
from atom_backend.vectors.connection import Connection, Tables
from atom_backend.vectors.generations import LanceGenerations
from atom_backend.vectors.location import Location
from atom_backend.vectors.maintenance import MaintenancePolicy
from atom_backend.vectors.pointer import PointerFile, PointerPlace, PointerTable
from atom_backend.vectors.schema import Layout
from atom_backend.vectors.store import LanceVectorStore
from tests.hits import hits_of
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.making import CHUNKS, LAYOUT, POINTER, PROCESSED, project, put

STORE = uuid.UUID(int=7)


@pytest.fixture
def generations(folder: Path) -> Iterator[LanceGenerations]:
    with closing(LanceGenerations(str(folder), **LAYOUT)) as opened:
        yield opened


def switch(generations: LanceGenerations, number: int) -> None:
    pointer = generations.pointer()
    assert pointer is not None
    generations.make(number)
    generations.point(pointer.switched(number))


def search(store: LanceVectorStore, projection: Projection) -> list[uuid.UUID]:
    (leg,) = store.search(OwnerScope(projection.owner_id), vector=None, text="one", depth=5)
    return [hit.item_id for hit in hits_of(leg)]


@pytest.fixture(params=["file", "table"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> PointerPlace:
    """Of a folder, and of an object store (which a folder stands in for)."""
    if request.param == "file":
        return PointerFile(tmp_path / POINTER)
    return PointerTable(Location(str(tmp_path)), f"{CHUNKS}_current")


def test_a_pointer_reads_as_it_was_written(place: PointerPlace) -> None:
    async def write_and_read() -> None:
        assert await place.read() is None
        for pointer in (Pointer(STORE, 1), Pointer(STORE, None, 4), Pointer(STORE, 3, 4, True)):
            await place.write(pointer)
            stored = await place.read(fresh=True)
            assert stored is not None
            assert stored.pointer == pointer

    asyncio.run(write_and_read())


def test_a_pointer_is_replaced_whole_or_not_at_all(
    folder: Path, generations: LanceGenerations, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / POINTER).open("rb") as opened:
        before = (folder / POINTER).read_bytes()
        generations.point(Pointer(STORE, 1))
        assert opened.read() == before, "whoever reads the old one reads all of it"

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("atom_backend.vectors.pointer.flush", full)
    with pytest.raises(VectorStoreUnavailable, match="No space left"):
        generations.point(Pointer(STORE, 2))
    assert generations.pointer() == Pointer(STORE, 1)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "another number": lambda content: content.replace(b'"active": 1', b'"active": 2'),
    "another store": lambda content: content.replace(b'"store": "', b'"store": "0', 1),
    "something else": lambda content: b"[]\n8a4f0f8d\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_pointer_is_reported_and_never_guessed(
    folder: Path,
    store: LanceVectorStore,
    generations: LanceGenerations,
    damage: Callable[[bytes], bytes],
) -> None:
    assert store.generation().number == 1
    pointer = folder / POINTER
    pointer.write_bytes(damage(pointer.read_bytes()))

    for call in (store.sizes, store.generation, generations.pointer):
        with pytest.raises(VectorStoreCorrupt, match="rebuild"):
            call()


def test_a_missing_pointer_is_an_outage(folder: Path, store: LanceVectorStore) -> None:
    assert store.generation().number == 1
    aside = (folder / POINTER).rename(folder / "aside")
    with pytest.raises(VectorStoreUnavailable, match="run rebuild if it is lost"):
        store.generation()
    aside.rename(folder / POINTER)
    assert store.generation().number == 1


def test_a_pointer_that_cannot_be_read_or_written_is_an_outage(folder: Path) -> None:
    (folder / POINTER).unlink()
    (folder / POINTER).mkdir()
    with closing(LanceGenerations(str(folder), **LAYOUT)) as generations:
        with pytest.raises(VectorStoreUnavailable, match="cannot be read"):
            generations.pointer()
        with pytest.raises(VectorStoreUnavailable, match="cannot be written"):
            generations.point(Pointer(STORE, 1))
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_another_databases_store_is_neither_read_nor_written(
    folder: Path, open_store: OpenStore, generations: LanceGenerations
) -> None:
    pointer = generations.pointer()
    assert pointer is not None
    known: list[uuid.UUID | None] = [None]
    store = open_store(folder, identity=lambda: known[0])
    projection = project(uuid.uuid4())
    put(store, [projection])
    known[0] = STORE
    calls: list[Callable[[], object]] = [
        lambda: search(store, projection),
        lambda: store.add_chunks([projection], 2),
        lambda: store.drop_items([projection.item_id]),
        store.maintain,
        store.probe,
    ]
    for call in calls:
        with pytest.raises(VectorStoreUnavailable, match="belongs to another database"):
            call()
    known[0] = pointer.store
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


def test_a_switch_is_seen_by_the_very_next_call(
    store: LanceVectorStore, generations: LanceGenerations
) -> None:
    projection = project(uuid.uuid4(), ["one"])
    put(store, [projection])
    assert search(store, projection) == [projection.item_id]

    switch(generations, 2)

    assert search(store, projection) == []
    assert store.generation().number == 2
    assert store.sizes() == {f"{CHUNKS}_2": 0, f"{PROCESSED}_2": 0}


def test_an_object_stores_pointer_is_asked_for_again_after_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = PointerTable(Location(str(tmp_path)), f"{CHUNKS}_current")
    writer = PointerTable(Location(str(tmp_path)), f"{CHUNKS}_current")
    now = [0.0]
    monkeypatch.setattr("atom_backend.vectors.pointer.time.monotonic", lambda: now[0])

    async def active() -> int | None:
        stored = await place.read()
        assert stored is not None
        return stored.pointer.active

    async def switch_and_read() -> None:
        await writer.write(Pointer(STORE, 1))
        assert await active() == 1
        await writer.write(Pointer(STORE, 2))
        assert await active() == 1, "remembered"
        now[0] += 1.5
        assert await active() == 2

    asyncio.run(switch_and_read())


def test_an_object_store_that_fails_under_the_pointer_is_an_outage(
    folder: Path, store: LanceVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(place: PointerFile, *, fresh: bool = False) -> None:
        raise RuntimeError("lance error: LanceError(IO): Generic S3 error: connection refused")

    monkeypatch.setattr(PointerFile, "read", fail)
    with closing(LanceGenerations(str(folder), **LAYOUT)) as generations:
        for call in (store.sizes, store.maintain, generations.pointer):
            with pytest.raises(VectorStoreUnavailable, match="S3 error"):
                call()


def test_what_was_begun_on_the_tables_of_before_ends_there(
    folder: Path, store: LanceVectorStore, generations: LanceGenerations
) -> None:
    put(store, [project(uuid.uuid4())])
    begun, switched = Event(), Event()

    async def slow(tables: Tables) -> int:
        begun.set()
        await asyncio.to_thread(switched.wait, 20)
        return int(await tables.chunks.count_rows())

    connection = Connection(Location(str(folder)), Layout(**LAYOUT), deadline=20)
    with closing(connection), ThreadPoolExecutor(1) as pool:
        counting = pool.submit(connection.call, slow)
        assert begun.wait(20)
        switch(generations, 2)
        assert store.sizes()[f"{CHUNKS}_2"] == 0
        switched.set()
        assert counting.result() == 2


def test_nothing_is_written_into_another_generation_than_the_one_meant(
    store: LanceVectorStore, generations: LanceGenerations
) -> None:
    before = store.generation()
    projection = project(uuid.uuid4())
    store.add_chunks([projection], 5, into=before)
    switch(generations, 2)
    writes: list[Callable[[Generation], None]] = [
        lambda into: store.add_chunks([projection], 5, into=into),
        lambda into: store.add_processed([projection], 5, into=into),
        lambda into: store.drop_older([projection.item_id], 9, into=into),
    ]
    for write in writes:
        with pytest.raises(VectorStoreUnavailable, match="exchanged"):
            write(before)
        write(store.generation())
    assert store.sizes() == {f"{CHUNKS}_2": 0, f"{PROCESSED}_2": 0}


def test_tables_can_be_filled_before_they_are_active_and_only_while_they_are_being_built(
    folder: Path, store: LanceVectorStore, open_store: OpenStore, generations: LanceGenerations
) -> None:
    building = open_store(folder, building=2)
    with pytest.raises(VectorStoreUnavailable, match="not being built"):
        building.sizes()
    pointer = generations.pointer()
    assert pointer is not None
    generations.make(2)
    generations.point(Pointer(pointer.store, 1, building=2))
    put(building, [projection := project(uuid.uuid4(), ["one"])], 0)
    assert search(store, projection) == []

    generations.point(pointer.switched(2))

    assert search(store, projection) == [projection.item_id]
    with pytest.raises(VectorStoreUnavailable, match="not being built"):
        building.drop_items([projection.item_id])


@pytest.mark.parametrize("grace", [600.0, 0.0])
def test_only_superseded_tables_are_dropped_and_only_after_a_grace(
    folder: Path,
    open_store: OpenStore,
    generations: LanceGenerations,
    grace: float,
) -> None:
    pointer = generations.pointer()
    assert pointer is not None
    for number in (2, 3):
        generations.make(number)
    generations.make(12)
    generations.point(Pointer(pointer.store, 2, building=3))

    policy = MaintenancePolicy(superseded_seconds=grace)
    open_store(folder, building=3, maintenance=policy).maintain()
    assert generations.numbers() == {1, 2, 3, 12}
    store = open_store(folder, maintenance=policy)
    store.maintain()

    assert generations.numbers() == ({1, 2, 3, 12} if grace else {2, 3, 12})
    assert store.sizes() == {f"{CHUNKS}_2": 0, f"{PROCESSED}_2": 0}


def test_the_tables_of_others_are_not_taken_for_generations(
    folder: Path, generations: LanceGenerations
) -> None:
    for name in (f"{CHUNKS}_old", f"{CHUNKS}_02", f"my_{CHUNKS}", f"{CHUNKS}_0", "else"):
        lancedb.connect(folder).create_table(name, [{"number": 1}])
    assert generations.numbers() == {1}


def test_discarding_removes_damaged_tables_too(folder: Path, generations: LanceGenerations) -> None:
    generations.make(2)
    for manifest in folder.glob("*_2.lance/_versions/*"):
        os.truncate(manifest, 3)
    generations.discard(2)
    generations.discard(2)
    assert generations.numbers() == {1}
    assert generations.make(2)
    assert generations.empty(2)
