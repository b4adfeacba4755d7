"""Worker and web processes of a test, forked from one that has imported everything.

The parent of them all (multiprocessing's fork server) has opened nothing, so that a fork is safe
and takes milliseconds. Invariant: no process outlives its ``Processes``.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from atom_backend.errors import AtomError
from tests.conftest import run_sql
from tests.watching import Moment

_PATIENCE = 60.0
_PROGRAM = "tests.faults.effects.program"
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([_PROGRAM])


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stores of a module are, and where its processes log."""

    owner_database: str
    database: str
    lance: Path
    log: Path

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """Run a statement as the superuser, behind the service's back."""
        return run_sql(self.owner_database, statement, **parameters)


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to a process when it first comes to a moment: a signal to itself.

    With a ``delay`` (seconds) it is struck in the midst of what follows upon that moment.
    """

    moment: Moment
    signal: signal.Signals
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What happens instead: the call at that moment fails with this error."""

    moment: Moment
    error: AtomError


class Processes:
    """Starts processes, and ends them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._started: list[ForkServerProcess] = []

    def __enter__(self) -> Processes:
        self._place.log.write_text("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._started:
            process.kill()
            process.join(_PATIENCE)
            process.close()
        errors = [line for line in self._place.log.read_text().splitlines() if "ERROR" in line]
        assert not errors, errors

    def start(self, work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
        """A process that calls ``work`` with the place and these arguments."""
        process = _CONTEXT.Process(target=work, args=(self._place, *arguments))
        process.start()
        self._started.append(process)
        return process


class Web:
    """A web process; it listens when this is made."""

    def __init__(self, processes: Processes, serve: Callable[..., None], *strikes: Strike) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.process = processes.start(serve, strikes, self._port)
        assert until(self._listens)

    def client(self, token: str) -> httpx.Client:
        """Of the account that the token is for."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_PATIENCE,
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def killed(process: ForkServerProcess) -> bool:
    """Waits until the process has ended; whether SIGKILL ended it."""
    process.join(_PATIENCE)
    return process.exitcode == -signal.SIGKILL


def ended(process: ForkServerProcess) -> bool:
    """Waits until the process has ended; whether it ended well."""
    process.join(_PATIENCE)
    return process.exitcode == 0


def stopped(process: ForkServerProcess) -> bool:
    """Waits until SIGSTOP has stopped the process; False if it ended instead."""
    return until(lambda: not process.is_alive() or _status(process) == psutil.STATUS_STOPPED) and (
        process.is_alive()
    )


def go_on(process: ForkServerProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def until(true: Callable[[], bool], seconds: float = _PATIENCE) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not (happened := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return happened


def _status(process: ForkServerProcess) -> str:
    try:
        return str(psutil.Process(process.pid).status())
    except psutil.NoSuchProcess:
        return psutil.STATUS_DEAD
