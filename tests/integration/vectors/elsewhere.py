"""What other processes do with the store.

They are forked from a server that has imported LanceDB and not used it, so that each costs
milliseconds instead of the seconds of an import.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import socket
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from uuid import UUID

from atom_backend.domain.principals import OwnerScope
from atom_backend.errors import AtomError
from atom_backend.vectors.store import LanceVectorStore
from tests.hits import hits_of
from tests.integration.vectors.making import CHUNKS, LAYOUT, project, put

_NOBODY = 65534


def processes(count: int = 1) -> ProcessPoolExecutor:
    """Other processes to which functions of this module can be submitted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return ProcessPoolExecutor(count, mp_context=context)


@cache
def _store(folder: Path) -> LanceVectorStore:
    return LanceVectorStore(str(folder), **LAYOUT)


def _outcome(call: Callable[[], object]) -> object:
    """What the call gives, or the name of its error."""
    try:
        return call()
    except AtomError as error:
        return type(error).__name__


def write(folder: Path, owner: UUID, word: str) -> None:
    """Store one new item of one word."""
    put(_store(folder), [project(owner, [word])])


def rewrite(folder: Path, owner: UUID, items: list[UUID]) -> None:
    """Bring each item through five revisions."""
    for revision in range(1, 6):
        for item in items:
            words = [f"{revision}a ", f"{revision}b"]
            put(_store(folder), [project(owner, words, item_id=item, revision=revision)], revision)


def use_as_nobody(folder: Path, owner: UUID, item: UUID) -> list[object]:
    """Search, add, drop and probe without the right to write."""
    if os.getuid() == 0:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    store, scope = _store(folder), OwnerScope(owner)
    return [
        len(hits_of(store.search(scope, vector=None, text="readable", depth=5)[0])),
        _outcome(lambda: store.add_chunks([project(owner)], 1)),
        _outcome(lambda: store.drop_items([item])),
        _outcome(store.probe),
    ]


def write_beyond_the_limit(folder: Path) -> list[object]:
    """Add and probe where no file may grow beyond 100 bytes."""
    store = _store(folder)
    before = store.sizes()[CHUNKS]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    return [
        before,
        _outcome(lambda: store.add_chunks([project(UUID(int=1))], 1)),
        _outcome(store.probe),
        store.sizes()[CHUNKS],
    ]


def ask_a_deaf_object_store() -> object:
    """Call a store whose server accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        os.environ.update(
            AWS_ENDPOINT=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            AWS_ALLOW_HTTP="true",
            AWS_ACCESS_KEY_ID="x",
            AWS_SECRET_ACCESS_KEY="x",
            AWS_REGION="us-east-1",
        )
        return _outcome(LanceVectorStore("s3://bucket/store", deadline=0.5, **LAYOUT).sizes)


def fork_before_and_after_use(folder: Path) -> list[object]:
    """What children see that were forked before this process used LanceDB, and after."""
    store = LanceVectorStore(str(folder), **LAYOUT)
    before = _in_a_child(store.sizes)
    used = store.sizes()[CHUNKS]
    after = _in_a_child(store.sizes)
    anew = _in_a_child(LanceVectorStore(str(folder), **LAYOUT).sizes)
    return [before, used, after, anew, store.sizes()[CHUNKS]]


def _in_a_child(call: Callable[[], object]) -> str:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, str(_outcome(call)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()
