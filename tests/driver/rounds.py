"""Rounds: attack, quiet, check, repair, judge.

Invariant: a round ends with everything healed and quiet, so that what is wrong afterwards is wrong
for good.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.driver.accounts import Account
from tests.driver.clients import Client
from tests.driver.faults import Faults
from tests.driver.recorder import Recorder
from tests.driver.steps import LANES, USERS, Operation, Step
from tests.driver.system import System
from tests.promises.found import silent_gaps, wrong_hits
from tests.promises.kept import broken_writes, stored
from tests.promises.secrets import columns, files, leaks
from tests.promises.stores import out_of_order, overwritten, parked, still_waiting

QUIET_WITHIN = 120.0
_LOOK_EVERY = 0.05
_WAITING = "select count(*) as waiting from index_entries where state in ('due', 'leased')"
_ERROR_LINE = re.compile(r"\[(error|critical) *\]|^Traceback")


@dataclass
class Result:
    """What one round came to. ``drift``: by kind, as ``check`` found it before the repair.

    ``parked``: entries that were given up because every worker that held them was killed.
    """

    operations: int = 0
    converged: float = 0.0
    parked: int = 0
    drift: Counter[str] = field(default_factory=Counter)
    drift_left: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


class Driver:
    """Drives rounds against one system; the users live through all of them."""

    def __init__(self, system: System, recorder: Recorder, seed: int, rate: float) -> None:
        self._system = system
        self._recorder = recorder
        self._rate = rate
        self.faults = Faults(system, recorder)
        accounts = {user: Account(user, system.url, recorder, seed) for user in USERS}
        self._accounts = list(accounts.values())
        self._lanes = {
            (user, lane): _Lane(Client(accounts[user], system.url, recorder))
            for user in USERS
            for lane in range(LANES)
        }

    def run(self, steps: list[Step]) -> Result:
        """One round."""
        begun = time.monotonic()
        result = Result(operations=sum(isinstance(step, Operation) for step in steps))
        self._attack(steps)
        self.faults.heal()
        healed = time.monotonic()
        quiet = self._await_quiet()
        result.converged = time.monotonic() - healed
        self._recorder.note(converged=result.converged, quiet=quiet)
        if quiet:
            self._retry_parked(result)
            self._check_and_repair(result)
        else:
            result.violations.append(f"I5: not quiet after {QUIET_WITHIN:.0f} s")
        result.violations += self._judge()
        result.seconds = time.monotonic() - begun
        return result

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.close()
        for account in self._accounts:
            account.close()

    def _attack(self, steps: Iterable[Step]) -> None:
        """At most ``rate`` operations a second; slower where the lanes are."""
        due = time.monotonic()
        for step in steps:
            if not isinstance(step, Operation):
                self.faults.do(step)
                continue
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + 1 / self._rate, time.monotonic())
            self._lanes[step.user, step.lane].give(step)
        for lane in self._lanes.values():
            lane.finish()

    def _await_quiet(self) -> bool:
        """Whether everything was settled, and all processes well, in time."""
        deadline = time.monotonic() + QUIET_WITHIN
        while time.monotonic() < deadline:
            if self._system.answers() and self._waiting() == 0:
                return True
            time.sleep(_LOOK_EVERY)
        return False

    def _waiting(self) -> int:
        (row,) = self._system.sql(_WAITING)
        return int(row.waiting)

    def _retry_parked(self, result: Result) -> None:
        """As an operator would; whatever is parked after that was not parked by the kills."""
        result.parked = len(parked(self._system.sql))
        if result.parked:
            self._system.command("retry-parked", check=True)
            self._await_quiet()

    def _check_and_repair(self, result: Result) -> None:
        result.drift = self._drift()
        if not result.drift:
            return
        repaired = self._system.command("repair", "--json", check=True)
        self._recorder.note(repair=json.loads(repaired.stdout))
        self._await_quiet()
        result.drift_left = self._drift()
        result.violations += [
            f"drift: {count} {kind} after repair" for kind, count in result.drift_left.items()
        ]

    def _drift(self) -> Counter[str]:
        report: dict[str, Any] = json.loads(self._system.command("check", "--json").stdout)
        self._recorder.note(check=report)
        return Counter(report["counts"])

    def _judge(self) -> list[str]:
        system, history = self._system, self._recorder.history
        places = [
            *columns(system.sql),
            *files(system.logs, system.folder / "data" / "postgres" / "log"),
            *((f"error body {n}", b.encode()) for n, b in enumerate(self._recorder.error_bodies)),
            ("the metrics", self._metrics().encode()),
        ]
        wronged = parked(system.sql).items()
        return [
            *broken_writes(history, stored(system.sql)),
            *out_of_order(system.sql, system.lance),
            *still_waiting(system.sql),
            *wrong_hits(history),
            *silent_gaps(history),
            *leaks(self._recorder.canaries, places),
            *overwritten(history, system.lance),
            *(f"parked: {item} is not to blame: {reason}" for item, reason in wronged),
            *self._recorder.problems,
            *self._error_lines(),
        ]

    def _metrics(self) -> str:
        return httpx.get(f"{self._system.url}/metrics", timeout=20).text

    def _error_lines(self) -> list[str]:
        found: Counter[str] = Counter()
        for name, text in files(self._system.logs):
            for line in text.decode(errors="replace").splitlines():
                if _ERROR_LINE.search(line):
                    found[f"log: {name}: {line[:300]}"] += 1
        return list(found)


class _Lane:
    """A client on a thread of its own; it takes operations one by one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._queue: queue.Queue[Operation | None] = queue.Queue(maxsize=4)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def give(self, operation: Operation) -> None:
        self._queue.put(operation)

    def finish(self) -> None:
        """Wait for everything that was given. Raises what the client raised."""
        self._queue.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        while (operation := self._queue.get()) is not None:
            try:
                if self._failure is None:
                    self._client.perform(operation)
            except BaseException as failure:  # noqa: BLE001
                self._failure = failure
            finally:
                self._queue.task_done()
