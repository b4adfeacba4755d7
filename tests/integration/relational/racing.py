"""Threads that begin at the same moment, or wait for each other in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.conftest import RunSql

Answer = TypeVar("Answer")


def together(work: Callable[[int], Answer], count: int) -> list[Answer]:
    """The answers of ``count`` threads, in order; the first error of any of them is raised."""
    start = threading.Barrier(count)

    def one(number: int) -> Answer:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll until the condition holds; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def somebody_waits_for_a_lock(sql: RunSql) -> bool:
    return waiting_for_locks(sql) > 0


def waiting_for_locks(sql: RunSql) -> int:
    """How many connections wait for a lock."""
    ((count,),) = sql(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    return int(count)
