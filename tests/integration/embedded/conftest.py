"""A parent folder that the server's account can reach, a ready-made cluster, and other processes.

pytest's own temporary folder is closed to everybody but root, so the servers of these tests live
directly below the machine's temporary folder, in memory where there is room for it: nothing here
pulls the plug, and a disk would spend most of the time on fsync.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.embedded.privileges import NOBODY
from tests.integration.embedded.observing import USER, Spawn, is_down, query, until

NEEDED_MEMORY = 500 << 20
OrdinaryPython = Callable[..., dict[str, Any]]


@pytest.fixture
def spawn_user() -> Iterator[Spawn]:
    """Start another process that uses the server of a folder until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def spawn(data_folder: Path, script: str = USER, **changes: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            changes.pop("command", [sys.executable, "-c", script, str(data_folder)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **changes,
        )
        started.append(process)
        return process

    yield spawn
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def parent() -> Iterator[Path]:
    """An empty folder that every account can pass; afterwards no server is left in it."""
    with _open_folder(_roomiest()) as made:
        yield made
        for folder in [lock.parent for lock in made.rglob("users.lock")]:
            until(partial(is_down, folder))
        for note in made.rglob("socket-elsewhere"):
            shutil.rmtree(note.readlink(), ignore_errors=True)


@pytest.fixture
def parent_for_programs() -> Iterator[Path]:
    """Such a folder where files can be executed, which memory often forbids."""
    with _open_folder(tempfile.gettempdir()) as made:
        yield made


@pytest.fixture(scope="session")
def finished_cluster() -> Iterator[Path]:
    """A stopped server folder whose table ``kept`` has one committed row."""
    with _open_folder(_roomiest()) as made:
        server = start_embedded(made / "db")
        query(server, "create table kept (word text); insert into kept values ('first')")
        server.close()
        until(lambda: is_down(made / "db"))
        yield made / "db"


@contextmanager
def _open_folder(place: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=place, prefix="pg-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def _roomiest() -> str:
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > NEEDED_MEMORY:
        return str(memory)
    return tempfile.gettempdir()


@pytest.fixture
def data_folder(parent: Path, finished_cluster: Path) -> Path:
    """A copy of the finished cluster, so that a test need not wait for initdb."""
    copy = parent / "db"
    subprocess.run(["cp", "-a", str(finished_cluster), str(copy)], check=True)
    return copy


@pytest.fixture
def root_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: it is about what root's server does")


@pytest.fixture
def ordinary_python(root_only: None) -> OrdinaryPython:
    """Arguments for ``spawn_user`` that run a script as ``nobody``."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        probe = _as_nobody(python, Path("/"), "import psycopg2, psutil")
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(probe.pop("command"), check=True, capture_output=True, **probe)
            return partial(_as_nobody, python)
    pytest.skip("no Python that an ordinary user can run with these packages")


def _as_nobody(python: str, data_folder: Path, script: str = USER) -> dict[str, Any]:
    paths = [str(Path(__file__).parents[3]), *filter(None, sys.path)]
    return {
        "command": [python, "-c", script, str(data_folder)],
        "env": {"PYTHONPATH": os.pathsep.join(paths)},
        "cwd": "/",
        "user": NOBODY,
        "group": NOBODY,
        "extra_groups": [],
    }
