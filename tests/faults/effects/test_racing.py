"""Several worker processes at once, on the same items, while users rewrite and delete them.

Leases are made to run out again and again, so that the workers really do take items out of each
other's hands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import pytest

from tests.faults.effects.judging import assert_made_good
from tests.faults.effects.operations import ONE, THREE, TWO
from tests.faults.effects.processes import Processes, ended, until
from tests.faults.effects.program import dawdle
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage

OPERATIONS = 40
NAMES = "abcde"
_TAKE_AWAY = """
    update index_entries set due_at = now(), attempts = 0, holders = '{}' where state = 'leased'
"""
_WAITING = "select 1 from index_entries where state in ('due', 'leased') or deleted"


def scribble(user: User, seed: int) -> None:
    """One user's rewriting and deleting, always the same for a seed."""
    chance = Random(seed)
    for number in range(OPERATIONS):
        name = chance.choice(NAMES)
        if name in user.texts and chance.random() < 0.3:
            user.delete(name)
        else:
            user.put(name, f"{chance.choice([ONE, TWO, THREE])}\n\nNumber {number}.")


@contextmanager
def leases_running_out(stage: Stage) -> Iterator[None]:
    done = threading.Event()

    def take_away() -> None:
        while not done.wait(0.05):
            stage.sql(_TAKE_AWAY)

    thread = threading.Thread(target=take_away)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.mark.parametrize("count", [2, 4])
def test_workers_that_race_end_with_each_item_once_and_as_it_was_written_last(
    stage: Stage, users: Callable[[], User], processes: Processes, count: int
) -> None:
    everybody = [users() for _ in range(3)]
    workers = [processes.start(dawdle, number, 4) for number in range(count)]
    with leases_running_out(stage), ThreadPoolExecutor(3) as pool:
        list(pool.map(scribble, everybody, range(3)))
        everybody[0].leave()
        assert until(lambda: not stage.sql(_WAITING))
    for worker in workers:
        worker.terminate()
        assert ended(worker)
    assert_made_good(stage, *everybody)
