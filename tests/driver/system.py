"""The system under attack: PostgreSQL, a web process and several workers, all of them real.

It is put together as ``serve`` does it, and like there whatever dies is started again; only that
here nobody waits before that, and each process has a number by which it can be killed. Invariant:
when this is closed, nothing of it runs any more.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import sqlalchemy as sa

from atom_backend.errors import AtomError
from atom_backend.foundation import Foundation
from atom_backend.relational.embedded.postmaster import live_postmaster
from atom_backend.settings import PROJECT, Settings

WEB = "web"
_LOOK_EVERY = 0.1
_READY_WITHIN = 120.0
_OUR_PREFIXES = ("ATOM_", "DB_", "LANCEDB_", "DATABASE_")


class System:
    """Running processes; safe to use from several threads."""

    def __init__(self, folder: Path, workers: int, settings: dict[str, str]) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.lance = folder / "data" / "lancedb_data"
        self.url = f"http://127.0.0.1:{(port := _free_port())}"
        self.ended_alone: Counter[str] = Counter()
        self.environment = _environment(folder / "data", settings)
        self._settings = Settings.from_environment(self.environment)
        self._foundation = Foundation(self._settings)
        self._owner_url = ""
        gunicorn = ["gunicorn", "--config", str(PROJECT / "gunicorn.conf.py")]
        self._commands = {WEB: [*gunicorn, "--bind", f"127.0.0.1:{port}", "wsgi:app"]}
        for number in range(workers):
            self._commands[f"worker {number}"] = ["atom_backend", "worker"]
        self._processes: dict[str, psutil.Process] = {}
        self._expected_dead: set[int] = set()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._zygote = self._start_zygote()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")

    def start(self) -> None:
        """Returns when the service answers. Raises RuntimeError when it does not."""
        self.command("migrate", check=True)
        self._owner_url = self._foundation.urls.owner
        self._supervisor.start()
        deadline = time.monotonic() + _READY_WITHIN
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service did not become ready; see {self.logs}")
            time.sleep(_LOOK_EVERY)

    def close(self) -> None:
        """Stop everything, the hard way where it does not listen."""
        self._stop.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        for process in self._processes.values():
            _send(process, signal.SIGCONT)
            _send(process, signal.SIGTERM)
        psutil.wait_procs(self._processes.values(), timeout=20)
        with self._zygote:  # closes its pipes, which ends it, and waits
            pass
        self._foundation.close()

    def answers(self) -> bool:
        """Whether all of it serves."""
        try:
            health = httpx.get(f"{self.url}/healthz", timeout=5).json()
        except (httpx.TransportError, ValueError):
            return False
        return bool(health["status"] == "healthy")

    def command(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """One of the service's commands, run to its end."""
        return subprocess.run(
            [sys.executable, "-m", "atom_backend", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=check,
        )

    def begin(self, *arguments: str) -> psutil.Process:
        """One of the service's commands, running."""
        with self._lock:
            return self._forked(["atom_backend", *arguments], arguments[0])

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """Run a statement as the superuser, behind the service's back; its rows as a list."""
        engine = sa.create_engine(
            self._owner_url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement), parameters)
            return list(result) if result.returns_rows else []

    def kill(self, name: str) -> bool:
        """SIGKILL a process with everything below it; whether there was one."""
        with self._lock:
            process = self._processes.get(name)
            if process is None or not process.is_running():
                return False
            self._expected_dead.add(process.pid)
            # Each is the leader of a group of its own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return True

    def kill_serving(self) -> bool:
        """SIGKILL the process that serves requests; its arbiter lives and makes another."""
        with self._lock:
            arbiter = self._processes.get(WEB)
            try:
                serving = arbiter.children() if arbiter else []
            except psutil.NoSuchProcess:
                return False
        hit = [_send(process, signal.SIGKILL) for process in serving]
        return any(hit)

    def kill_postmaster(self) -> bool:
        """SIGKILL the first process of PostgreSQL; the others notice."""
        postmaster = self._postmaster()
        return postmaster is not None and _send(postmaster, signal.SIGKILL)

    def kill_guard(self) -> bool:
        """SIGKILL the process that guards PostgreSQL, which then stops."""
        postmaster = self._postmaster()
        guard = postmaster.parent() if postmaster else None
        # Orphaned, it is the child of somebody whom we must not kill.
        if guard is None or not any("guard" in word for word in guard.cmdline()):
            return False
        return _send(guard, signal.SIGKILL)

    def _postmaster(self) -> psutil.Process | None:
        live = live_postmaster(self._settings.data_dir / "postgres" / "cluster")
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(live.pid) if live else None
        return None

    def pause(self, name: str) -> psutil.Process | None:
        """SIGSTOP a process; which one it was, for ``resume``."""
        with self._lock:
            process = self._processes.get(name)
        return process if process and _send(process, signal.SIGSTOP) else None

    def resume(self, process: psutil.Process) -> None:
        _send(process, signal.SIGCONT)

    def _supervise(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            with suppress(AtomError):
                self._foundation.keep_running()
            for name in self._commands:
                self._keep_running(name)

    def _keep_running(self, name: str) -> None:
        with self._lock:
            process = self._processes.get(name)
            if process is not None and process.is_running():
                return
            if process is not None and process.pid not in self._expected_dead:
                self.ended_alone[name] += 1
            self._processes[name] = self._forked(self._commands[name], name)

    def _forked(self, arguments: list[str], name: str) -> psutil.Process:
        order = {"arguments": arguments, "log": str(self.logs / f"{name}.log")}
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        return psutil.Process(int(self._zygote.stdout.readline()))

    def _start_zygote(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.driver.zygote"],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@contextmanager
def running_system(folder: Path, workers: int, settings: dict[str, str]) -> Iterator[System]:
    """A system with all its data in ``folder``; stopped when the context ends."""
    system = System(folder, workers, settings)
    try:
        system.start()
        yield system
    finally:
        system.close()


def _environment(data: Path, settings: dict[str, str]) -> dict[str, str]:
    """This process's without any setting of the service, and these."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name == "ATOM_MODELS_DIR" or not name.startswith(_OUR_PREFIXES)
    }
    return inherited | {"ATOM_DATA_DIR": str(data), "PYTHONPATH": str(PROJECT)} | settings


def _send(process: psutil.Process, number: int) -> bool:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
