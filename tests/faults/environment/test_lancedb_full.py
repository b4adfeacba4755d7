"""LanceDB's disk is full, at whichever of its files that shows (I1, I2, I5).

What fits is written whole, what does not is as if it had never been begun; searches find what they
found before; documents wait, and none is parked.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atom_backend.clock import new_id
from atom_backend.errors import VectorStoreCorrupt, VectorStoreUnavailable
from atom_backend.vectors import location, writing
from atom_backend.vectors.connection import Tables
from tests.deterministic import DIMENSION
from tests.integration.coordinator.conftest import empty_tables, stage
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import ask, fill, found
from tests.integration.vectors.making import project
from tests.invariants import CHUNKS
from tests.making import a_document
from tests.stores import open_store

__all__ = ["empty_tables", "stage"]

PAGE = 4096
FREE_PAGES = (0, 1, 3, 6, 10, 14, 20, 30)
TAIL = 2_500
"""The last bytes of a file of rows; LanceDB does not notice when only these cannot be written."""


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def no_more_free_than(pages: int, disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    left = os.statvfs(disk)
    ballast.write_bytes(bytes((left.f_bavail - pages) * PAGE))
    try:
        yield
    finally:
        ballast.unlink()


def an_essay(number: int) -> str:
    """Much larger in LanceDB than anything else that is written with it, and always as large."""
    return "\n\n".join(f"A new moon, number {number:03}, and tide {tide:03}." for tide in range(50))


def survives(stage: Stage, shortage: AbstractContextManager[None], known: int) -> bool:
    """Whether a document was indexed all the same, beside those that are known."""
    document = a_document(stage.transactions, stage.owner, an_essay(known))
    with shortage:
        report = stage.relay().run_once()
        entry = stage.entry(document.id)
        answer = ask(stage, "moon", limit=100)
    assert (report.leased, report.parked, entry.attempts) == (1, 0, 0)
    assert (entry.state, report.outage) in {("settled", None), ("due", "lancedb_unavailable")}
    indexed = bool(entry.state == "settled")
    assert (answer.degraded, len(found(answer))) == ((), known + indexed)
    stage.let_time_pass()
    assert indexed or stage.converge().settled
    return indexed


def test_what_does_not_fit_into_a_file_waits_until_it_does(stage: Stage) -> None:
    fill(stage, ["The moon."])
    fill(stage, [an_essay(1)])
    needed = max(file.stat().st_size for file in stage.lance.rglob("*.lance/data/*"))
    limits = [0, 500, 2_000, needed // 2, *range(needed - TAIL, needed, 400)]
    for known, size in enumerate(limits, start=2):
        assert not survives(stage, no_file_larger_than(size), known), size
    assert survives(stage, no_file_larger_than(2 * needed), len(limits) + 2)
    stage.assert_in_step()


def test_a_deletion_that_does_not_fit_into_a_file_did_not_happen(
    empty_tables: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(empty_tables, tmp_path / "lancedb"))
    vectors = np.random.default_rng(1).normal(size=(3_000, DIMENSION)).astype(np.float32)
    one, other = (project(new_id(), ["moon"] * 3_000, vectors=vectors) for _ in range(2))
    with closing(open_store(folder)) as store:
        store.add_chunks([one, other], 1)
        before = store.sizes()
        for size in range(500, 7_000, 400):
            with no_file_larger_than(size), pytest.raises(VectorStoreUnavailable):
                store.drop_items([one.item_id])
            assert store.sizes() == before
            assert store.holding([one.item_id, other.item_id]) == {one.item_id, other.item_id}
        store.drop_items([one.item_id])
        assert store.holding([one.item_id, other.item_id]) == {other.item_id}


def test_nothing_is_taken_back_once_somebody_else_has_committed(
    empty_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(empty_tables, tmp_path / "lancedb"))
    vectors = np.random.default_rng(1).normal(size=(100, DIMENSION)).astype(np.float32)
    versions: list[int] = []
    take_back = writing._take_back

    async def after_somebody_else(tables: Tables, name: str, version: int) -> None:
        await (await tables.database.open_table(name)).delete("false")
        try:
            await take_back(tables, name, version)
        finally:
            versions.extend([version, await tables.chunks.version()])

    monkeypatch.setattr(writing, "_take_back", after_somebody_else)
    with closing(open_store(folder)) as store:
        store.add_chunks([project(new_id(), ["moon"] * 100, vectors=vectors)], 1)
        (file,) = folder.glob(f"{CHUNKS}.lance/data/*")
        item = project(new_id(), ["moon"] * 100, vectors=vectors)
        with no_file_larger_than(file.stat().st_size - 100), pytest.raises(VectorStoreCorrupt):
            store.add_chunks([item], 1)
    assert versions[1] == versions[0] + 1


def test_what_does_not_fit_onto_the_disk_waits_until_it_does(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(location, "SPARE_BYTES", 0)
    fill(stage, ["The moon."])
    stage.vectors.close()
    with a_disk(tmp_path / "disk") as disk:
        lance = Path(shutil.copytree(stage.lance, disk / "lancedb"))
        with closing(open_store(lance)) as vectors:
            moved = replace(stage, vectors=vectors, lance=lance)
            outcomes = [
                survives(moved, no_more_free_than(pages, disk), known)
                for known, pages in enumerate(FREE_PAGES, start=1)
            ]
            moved.assert_in_step()
    assert not any(outcomes[:2])
    assert any(outcomes)


def test_a_disk_that_is_nearly_full_takes_nothing_more_and_health_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone,) = fill(stage, ["The moon."])
    with monkeypatch.context() as nearly_full:
        nearly_full.setattr(location, "SPARE_BYTES", 1 << 60)
        with pytest.raises(VectorStoreUnavailable, match="full"):
            stage.vectors.probe()
        a_document(stage.transactions, stage.owner, "A new moon.")
        assert stage.relay().run_once().outage == "lancedb_unavailable"
        assert (answer := ask(stage, "moon")).degraded == ()
        assert found(answer) == [gone]
        stage.documents.remove(stage.owner, gone)
        assert stage.relay().run_once().removed == 1
    stage.vectors.probe()
    stage.let_time_pass()
    stage.converge()
    stage.assert_in_step()


@contextmanager
def a_disk(place: Path) -> Iterator[Path]:
    """Four megabytes."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this account may not mount; files that may not grow stand for a full disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
