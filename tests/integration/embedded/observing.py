"""What the tests of the embedded server look at from outside, and another process that uses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil
import psycopg2

from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.embedded.folder import open_folder
from atom_backend.relational.embedded.postmaster import live_postmaster

Spawn = Callable[..., Popen[str]]

USER = """
import sys
from pathlib import Path
from atom_backend.errors import AtomError
from atom_backend.relational.embedded import start_embedded
try:
    server = start_embedded(Path(sys.argv[1]), start_timeout=60)
except AtomError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(server.url(), flush=True)
sys.stdin.read()
"""


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of ``condition``, polled; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.005)
    return value


def query(server: EmbeddedServer, statement: str) -> Any:
    """The first value that ``statement`` yields, committed; None when it yields no rows."""
    with (
        closing(
            psycopg2.connect(
                host=str(server.sockets), port=5432, user="postgres", dbname="postgres"
            )
        ) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def is_down(data_folder: Path) -> bool:
    """Whether neither a guard nor any process of a server holds on to the folder."""
    folder = open_folder(data_folder)
    with folder.guard_lock() as guard, folder.cluster_lock() as cluster:
        return guard.try_exclusive() and cluster.try_exclusive()


def postmaster_pid(data_folder: Path) -> int:
    postmaster = live_postmaster(open_folder(data_folder).cluster)
    assert postmaster is not None
    return postmaster.pid


def guard_pid(data_folder: Path) -> int:
    """The guard is the parent of the server."""
    return psutil.Process(postmaster_pid(data_folder)).ppid()


def first_line(user: Popen[str]) -> str:
    """What the process says once it has its server; its errors when it says nothing."""
    assert user.stdout is not None
    assert user.stderr is not None
    return user.stdout.readline() or user.stderr.read()


def is_gone(pid: int) -> bool:
    """Whether no such process runs any more; one that nobody has reaped yet does not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
