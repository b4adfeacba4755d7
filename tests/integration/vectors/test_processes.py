"""Several threads and processes on one store: nothing is lost, doubled, hidden or hung."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from atom_backend.domain.items import Projection
from atom_backend.domain.principals import OwnerScope
from atom_backend.vectors.maintenance import MaintenancePolicy
from atom_backend.vectors.store import LanceVectorStore
from tests.hits import hits_of
from tests.integration.vectors import elsewhere
from tests.integration.vectors.conftest import OpenStore
from tests.integration.vectors.elsewhere import processes
from tests.integration.vectors.making import CHUNKS, PROCESSED, project, put, unit_vectors


def texts(store: LanceVectorStore, owner: uuid.UUID, item: uuid.UUID) -> tuple[int, list[str]]:
    found = store.chunks(OwnerScope(owner), item)
    assert found is not None
    return found[0], [chunk.text for chunk in found[1]]


def test_what_another_process_has_confirmed_is_found_by_the_next_search(
    folder: Path, store: LanceVectorStore
) -> None:
    owner, vectors = uuid.uuid4(), unit_vectors(1)
    put(store, [project(owner, ["ours"])])
    with processes() as other:
        for number in range(1, 6):
            other.submit(elsewhere.write, folder, owner, f"theirs{number}").result()
            by_vector, by_text = store.search(
                OwnerScope(owner), vector=vectors[0], text=f"theirs{number}", depth=50
            )
            assert len(hits_of(by_vector)) == number + 1
            assert len(hits_of(by_text)) == 1


def test_processes_that_write_different_items_at_once_lose_and_double_nothing(
    folder: Path, store: LanceVectorStore
) -> None:
    owner = uuid.uuid4()
    items = [[uuid.uuid4() for _ in range(4)] for _ in range(3)]
    with processes(3) as others:
        writing = [others.submit(elsewhere.rewrite, folder, owner, mine) for mine in items]
        for each in writing:
            each.result()

    assert store.sizes() == {CHUNKS: 24, PROCESSED: 12}
    for item in (item for mine in items for item in mine):
        assert texts(store, owner, item) == (5, ["5a ", "5b"])


def test_threads_that_write_while_the_tables_are_compacted_lose_and_double_nothing(
    folder: Path, open_store: OpenStore
) -> None:
    store = open_store(
        folder, maintenance=MaintenancePolicy(share=0, small_fragments=2), deadline=60
    )
    owner = uuid.uuid4()

    def write(item: uuid.UUID) -> None:
        for revision in range(1, 6):
            words = [f"{revision}a ", f"{revision}b"]
            put(store, [project(owner, words, item_id=item, revision=revision)], revision)

    items = [uuid.uuid4() for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, item) for item in items]
        while not all(each.done() for each in written):
            store.maintain()
        for each in written:
            each.result()

    assert store.sizes() == {CHUNKS: 24, PROCESSED: 12}
    for item in items:
        assert texts(store, owner, item) == (5, ["5a ", "5b"])


def test_many_threads_may_search_at_once(store: LanceVectorStore) -> None:
    projections = [project(uuid.uuid4(), [f"mine{number}"]) for number in range(20)]
    put(store, projections)

    def hits(projection: Projection) -> Sequence[uuid.UUID]:
        scope = OwnerScope(projection.owner_id)
        legs = store.search(scope, vector=projection.vectors[0], text="mine", depth=5)
        return [hit.item_id for hit in hits_of(legs[0])]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(hits, projections * 5))

    assert found == [[projection.item_id] for projection in projections] * 5


def test_a_fork_before_first_use_works_and_one_after_it_fails_at_once_instead_of_hanging(
    folder: Path, store: LanceVectorStore
) -> None:
    put(store, [project(uuid.uuid4())])

    with processes() as other:
        before, used, after, anew, still = other.submit(
            elsewhere.fork_before_and_after_use, folder
        ).result()

    assert (before, used, still) == (str(store.sizes()), 2, 2)
    assert after == anew == "ConfigurationError"


def test_a_closed_store_opens_again(store: LanceVectorStore) -> None:
    put(store, [project(uuid.uuid4())])
    store.close()

    assert store.sizes()[CHUNKS] == 2


def test_probes_of_several_threads_leave_nothing_behind(
    folder: Path, store: LanceVectorStore
) -> None:
    before = sorted(path.name for path in folder.rglob("*"))

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(store.probe) for _ in range(20)]:
            each.result()

    assert sorted(path.name for path in folder.rglob("*")) == before
