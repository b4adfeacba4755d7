"""A folder that vanishes in the middle of a write: what was acknowledged is there when it is back.

LanceDB itself makes the folder anew, commits its manifest into it, and is content. Without a look
afterwards about a fifth of these disappearances cost an acknowledged write.
"""

from __future__ import annotations

import random
import shutil
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from uuid import UUID

from atom_backend.errors import VectorStoreUnavailable
from atom_backend.vectors.store import LanceVectorStore
from tests.integration.vectors.making import project

TIMES = 40


def test_no_acknowledged_write_was_made_into_a_folder_that_is_gone(
    store: LanceVectorStore, folder: Path
) -> None:
    away, owner, stop = folder.with_name("unmounted"), uuid.uuid4(), Event()

    def write() -> list[UUID]:
        acknowledged: list[UUID] = []
        while not stop.is_set():
            projection = project(owner)
            try:
                store.add_processed([projection], 1)
            except VectorStoreUnavailable:
                stop.wait(0.002)
            else:
                acknowledged.append(projection.item_id)
        return acknowledged

    chance = random.Random(5)
    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write) for _ in range(2)]
        for _ in range(TIMES):
            time.sleep(chance.uniform(0.02, 0.08))
            folder.rename(away)
            time.sleep(0.05)
            while away.exists():
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):
                    away.rename(folder)
        stop.set()
    acknowledged = [one for thread in writing for one in thread.result()]
    assert len(acknowledged) > TIMES
    assert set(acknowledged) - store.holding(acknowledged) == set()
