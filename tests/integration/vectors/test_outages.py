"""Outages: a store that is down, full, read-only, broken or hanging says so, in time."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atom_backend.domain.items import Projection
from atom_backend.domain.principals import OwnerScope
from atom_backend.errors import (
    ConfigurationError,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)
from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors import elsewhere
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.elsewhere import processes
from tests.integration.vectors.making import CHUNKS, LAYOUT, PROCESSED, project, put

Call = Callable[[LanceVectorStore, Projection], object]
Damage = Callable[[Path], None]


def search(store: LanceVectorStore, projection: Projection) -> object:
    scope = OwnerScope(projection.owner_id)
    return store.search(scope, vector=projection.vectors[0], text="one", depth=5)


CALLS: dict[str, Call] = {
    "search": search,
    "chunks": lambda s, p: s.chunks(OwnerScope(p.owner_id), p.item_id),
    "embedding": lambda s, p: s.embedding(OwnerScope(p.owner_id), p.item_id),
    "nearest": lambda s, p: s.nearest(OwnerScope(p.owner_id), p.embedding, depth=5),
    "add_chunks": lambda s, p: s.add_chunks([p], 2),
    "add_processed": lambda s, p: s.add_processed([p], 2),
    "drop_older": lambda s, p: s.drop_older([p.item_id], 9),
    "drop_fence": lambda s, p: s.drop_fence([p.item_id], 1),
    "drop_items": lambda s, p: s.drop_items([p.item_id]),
    "holding": lambda s, p: s.holding([p.item_id]),
    "maintain": lambda s, p: s.maintain(),
    "sizes": lambda s, p: s.sizes(),
    "probe": lambda s, p: s.probe(),
}
READS = ("search", "chunks")


@pytest.fixture
def stored(store: LanceVectorStore) -> Projection:
    projection = project(uuid.uuid4())
    put(store, [projection])
    return projection


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_vanished_folder_is_an_outage_and_no_call_makes_a_hollow_one(
    store: LanceVectorStore, folder: Path, stored: Projection, call: Call
) -> None:
    away = folder.rename(folder.with_name("unmounted"))
    folder.mkdir()

    with pytest.raises(VectorStoreUnavailable):
        call(store, stored)
    assert list(folder.iterdir()) == []

    folder.rmdir()
    away.rename(folder)
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_vanished_table_is_an_outage_and_no_call_makes_a_hollow_one(
    store: LanceVectorStore, folder: Path, stored: Projection, call: Call
) -> None:
    shutil.rmtree(folder / f"{CHUNKS}.lance")

    with pytest.raises(VectorStoreUnavailable):
        call(store, stored)
    assert not (folder / f"{CHUNKS}.lance").exists()


def test_a_store_that_was_never_prepared_is_an_outage(
    tmp_path: Path, open_store: OpenStore
) -> None:
    with pytest.raises(VectorStoreUnavailable, match="run migrate if there never was one"):
        open_store(tmp_path / "nothing").sizes()
    assert not (tmp_path / "nothing").exists()


def test_a_model_of_another_dimension_is_told_what_to_do(
    folder: Path, open_store: OpenStore
) -> None:
    with pytest.raises(ConfigurationError, match=r"16 numbers.* gives 384.*Run .* rebuild"):
        open_store(folder, dimension=384).sizes()


@pytest.fixture
def reachable(tmp_path: Path) -> Iterator[Path]:
    """A prepared store that an unprivileged account may read (``tmp_path`` is private)."""
    path = Path(tempfile.mkdtemp(prefix="lancedb-"))
    path.chmod(0o755)
    prepare_tables(str(path), **LAYOUT)
    yield path
    for each in (path, *path.rglob("*")):
        if each.is_dir():
            each.chmod(0o755)
    shutil.rmtree(path)


def test_a_read_only_folder_still_answers_searches_and_says_that_it_cannot_be_written(
    reachable: Path, open_store: OpenStore
) -> None:
    projection = project(owner := uuid.uuid4(), ["readable"])
    put(open_store(reachable), [projection])
    for each in (reachable, *reachable.rglob("*")):
        each.chmod(0o555 if each.is_dir() else 0o444)

    with processes() as other:
        outcomes = other.submit(
            elsewhere.use_as_nobody, reachable, owner, projection.item_id
        ).result()

    assert outcomes == [1, *["VectorStoreUnavailable"] * 3]


def test_a_disk_that_takes_no_more_is_an_outage_and_loses_nothing(
    folder: Path, store: LanceVectorStore, stored: Projection
) -> None:
    with processes() as other:
        outcomes = other.submit(elsewhere.write_beyond_the_limit, folder).result()

    assert outcomes == [2, *["VectorStoreUnavailable"] * 2, 2]
    assert store.sizes()[CHUNKS] == 2


@pytest.fixture
def hanging(folder: Path, store: LanceVectorStore, stored: Projection) -> Iterator[Path]:
    """The chunks' data file is a pipe that nobody writes to: whoever opens it waits for ever."""
    (file,) = (folder / f"{CHUNKS}.lance" / "data").iterdir()
    aside = file.rename(folder / "aside")
    os.mkfifo(file)
    yield file
    for _ in range(20):
        os.close(os.open(file, os.O_RDWR | os.O_NONBLOCK))
    keep = os.open(file, os.O_RDWR | os.O_NONBLOCK)
    file.unlink()
    aside.rename(file)
    os.close(keep)


def test_a_store_that_hangs_is_an_outage_for_every_caller_within_the_deadline(
    hanging: Path, folder: Path, stored: Projection, open_store: OpenStore
) -> None:
    store = open_store(folder, deadline=0.5)

    for name in READS:
        with pytest.raises(VectorStoreUnavailable, match=r"within 0\.5 seconds"):
            CALLS[name](store, stored)
    assert store.sizes() == {CHUNKS: 2, PROCESSED: 1}


def test_closing_ends_a_call_that_hangs(
    hanging: Path, folder: Path, stored: Projection, open_store: OpenStore
) -> None:
    store = open_store(folder, deadline=60)
    store.sizes()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(search, store, stored)
        while not waiting.done():
            store.close()
        with pytest.raises(VectorStoreUnavailable, match="closed"):
            waiting.result()


def test_an_object_store_that_does_not_answer_is_an_outage() -> None:
    with processes() as other:
        outcome = other.submit(elsewhere.ask_a_deaf_object_store).result()

    assert outcome == "VectorStoreUnavailable"


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _overwrite(path: Path) -> None:
    path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))


DAMAGE: dict[str, Damage] = {
    "half": _truncate,
    "empty": _empty,
    "inverted": _overwrite,
    "missing": Path.unlink,
}


@pytest.fixture
def reopened(
    folder: Path, store: LanceVectorStore, stored: Projection, open_store: OpenStore
) -> LanceVectorStore:
    """Nothing of the store is in memory any more, and every kind of file is on the disk."""
    neighbour = project(stored.owner_id)
    put(store, [neighbour])
    store.maintain()
    store.drop_items([neighbour.item_id])
    store.close()
    return open_store(folder)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("part", ["data", "_versions", "_deletions", "_indices/*"])
def test_a_broken_file_is_reported_as_such_and_never_as_an_empty_answer(
    folder: Path, reopened: LanceVectorStore, stored: Projection, part: str, damage: Damage
) -> None:
    for path in (folder / f"{CHUNKS}.lance").glob(f"{part}/*"):
        damage(path)

    # A table without any version is like one that was never made.
    absent = (part, damage) == ("_versions", Path.unlink)
    with pytest.raises(VectorStoreUnavailable if absent else VectorStoreCorrupt):
        search(reopened, stored)


def test_a_panic_of_lancedbs_native_half_is_reported_as_a_broken_file(
    folder: Path, reopened: LanceVectorStore, stored: Projection
) -> None:
    manifests = list((folder / f"{CHUNKS}.lance" / "_versions").iterdir())
    for path in manifests:
        sound = path.read_bytes()
        path.write_bytes(sound.replace(b"fixed_size_binary:16", b"fixed_s*ze_binary:16"))

    with pytest.raises(VectorStoreCorrupt, match="panicked"):
        search(reopened, stored)

    for path in manifests:
        broken = path.read_bytes()
        path.write_bytes(broken.replace(b"fixed_s*ze_binary:16", b"fixed_size_binary:16"))
    assert reopened.sizes()[CHUNKS] == 2
