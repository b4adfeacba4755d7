"""Starting a server where none is: clear what the last one left, then hand over to a guard.

Invariant: the caller holds ``guard.lock`` throughout, and the guard inherits it, so between
the check that nobody starts and the guard's life there is no moment for a second starter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from atom_backend.errors import DatabaseUnavailable
from atom_backend.relational.embedded.binaries import (
    copied,
    find_binaries,
    major_version,
    runnable_by,
)
from atom_backend.relational.embedded.cluster import (
    TUNABLE,
    initdb_command,
    refuse_other_major,
    server_command,
)
from atom_backend.relational.embedded.folder import ServerFolder, state_root
from atom_backend.relational.embedded.locks import FileLock
from atom_backend.relational.embedded.postmaster import clear_pidfile, urge_to_end
from atom_backend.relational.embedded.sockets import clear_socket, socket_folder

if TYPE_CHECKING:
    from atom_backend.relational.embedded.guard import Plan

GUARD = Path(__file__).with_name("guard.py")
# Nothing else of our environment: it holds secrets, and PG* or LC_* would change the server.
KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")
PAUSE = 0.1


def launch(
    folder: ServerFolder, guard_lock: FileLock, binaries: Path | None, deadline: float
) -> None:
    """Leave a guard behind that brings the server up; returns before the server is ready.

    ``deadline`` is a ``time.monotonic()`` value. Raises ``ConfigurationError``,
    ``DatabaseUnavailable`` or ``OSError``.
    """
    programs = find_binaries(binaries)
    major = major_version(programs)
    if folder.cluster.exists():
        refuse_other_major(folder.cluster, major)
    if not runnable_by(folder.account, programs):
        programs = copied(programs, state_root())
    with folder.cluster_lock() as cluster_lock:
        _await_the_end_of_the_last(folder, cluster_lock, deadline)
        clear_pidfile(folder.cluster)
        sockets = socket_folder(folder)
        clear_socket(sockets)
        plan = _plan(folder, programs, major, sockets, cluster_lock)
        _spawn(plan, guard_lock, cluster_lock)


def _await_the_end_of_the_last(folder: ServerFolder, lock: FileLock, deadline: float) -> None:
    began = time.monotonic()
    while not lock.try_exclusive():
        now = time.monotonic()
        if now > deadline:
            raise DatabaseUnavailable(
                f"Another PostgreSQL still uses {folder.path} and did not stop in time."
            )
        urge_to_end(folder.cluster, now - began)
        time.sleep(PAUSE)


def _plan(
    folder: ServerFolder, programs: Path, major: int, sockets: Path, cluster_lock: FileLock
) -> Plan:
    account = folder.account
    return {
        "lend_to": (account.uid, account.gid) if account.lent else None,
        "home": str(folder.path),
        "users_lock": str(folder.path / "users.lock"),
        "cluster_descriptor": cluster_lock.descriptor,
        "startup_log": str(folder.startup_log),
        "initdb": initdb_command(programs, folder.unfinished_cluster, major),
        "unfinished_cluster": str(folder.unfinished_cluster),
        "cluster": str(folder.cluster),
        "settings": TUNABLE,
        "server": server_command(programs, folder.cluster, sockets),
    }


def _spawn(plan: Plan, guard_lock: FileLock, cluster_lock: FileLock) -> None:
    process = subprocess.run(
        [sys.executable, "-I", "-S", str(GUARD)],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
        pass_fds=(guard_lock.descriptor, cluster_lock.descriptor),
    )
    if process.returncode != 0:
        raise DatabaseUnavailable(
            f"The guard of the embedded PostgreSQL did not start: {process.stderr.strip()}"
        )
