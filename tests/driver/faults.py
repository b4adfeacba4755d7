"""The faults: kills, pauses and a store that goes away, done to the system as the plan says.

Invariant: ``heal`` undoes whatever can be undone, and returns when it is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from sqlalchemy.exc import SQLAlchemyError

from tests.driver.recorder import Recorder
from tests.driver.steps import WORKERS, Fault
from tests.driver.system import WEB, System

_SIGKILLS = "kill"
_LEASED = "select from index_entries where state = 'leased' limit 1"


class Faults:
    """Does faults, and counts those that hit something."""

    def __init__(self, system: System, recorder: Recorder) -> None:
        self._system = system
        self._recorder = recorder
        self._timers: list[threading.Timer] = []
        self._commands: list[psutil.Process] = []
        self._away = system.lance.with_name("lancedb_data.away")
        self._moving = threading.Lock()
        self.done: Counter[str] = Counter()
        self.at_work = 0
        self.hollow = 0

    @property
    def sigkills(self) -> int:
        return sum(count for kind, count in self.done.items() if kind.startswith(_SIGKILLS))

    def do(self, fault: Fault) -> None:
        """One fault, now; what ends by itself does so in the background."""
        time.sleep(fault.delay)
        hit = self._do(fault)
        if hit:
            self.done[fault.kind] += 1
        if hit and "worker" in fault.kind and fault.kind.startswith(_SIGKILLS):
            self.at_work += self._something_is_leased()
        self._recorder.note(fault=fault.kind, number=fault.number, which=fault.which, hit=hit)

    def heal(self) -> None:
        """Wait until nothing is paused or hidden any more."""
        for timer in self._timers:
            timer.join()
        self._timers = []
        psutil.wait_procs(self._commands)
        self._commands = []

    def _do(self, fault: Fault) -> bool:
        system, worker = self._system, f"worker {fault.which}"
        ways: dict[str, Callable[[], bool]] = {
            "kill worker": lambda: system.kill(worker),
            "kill all workers": self._kill_all,
            "kill web server": system.kill_serving,
            "kill web": lambda: system.kill(WEB),
            "kill postmaster": system.kill_postmaster,
            "kill guard": system.kill_guard,
            "pause worker": lambda: self._pause(worker, fault.seconds),
            "hide lancedb": lambda: self._hide(fault.seconds),
            "run repair": lambda: self._run("repair", fault.seconds),
            "run rebuild": lambda: self._run("rebuild", fault.seconds),
        }
        return ways[fault.kind]()

    def _kill_all(self) -> bool:
        hit = [self._system.kill(f"worker {number}") for number in range(WORKERS)]
        return any(hit)

    def _something_is_leased(self) -> bool:
        """Right after a kill, when it is still what it was before."""
        with suppress(SQLAlchemyError):
            return bool(self._system.sql(_LEASED))
        return False

    def _pause(self, worker: str, seconds: float) -> bool:
        process = self._system.pause(worker)
        if process is None:
            return False
        self._later(seconds, lambda: self._system.resume(process))
        return True

    def _hide(self, seconds: float) -> bool:
        with self._moving:
            if self._away.exists():
                return False
            self._system.lance.rename(self._away)
        self._later(seconds, self._show)
        return True

    def _show(self) -> None:
        """As a disk that is mounted again, it covers what was written below it meanwhile."""
        with self._moving:
            if self._system.lance.exists():
                self.hollow += 1
                self._system.lance.rename(self._below())
            self._away.rename(self._system.lance)

    def _below(self) -> Path:
        return self._system.lance.with_name(f"lancedb_data.below.{self.hollow}")

    def _run(self, command: str, seconds: float) -> bool:
        """Start a command beside everything else; killed if it takes longer than that."""
        process = self._system.begin(command)
        self._commands.append(process)
        self._later(seconds, lambda: self._kill_command(process))
        return True

    def _kill_command(self, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess):
            process.kill()
            self.done[f"{_SIGKILLS} command"] += 1

    def _later(self, seconds: float, undo: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, undo)
        timer.start()
        self._timers.append(timer)
