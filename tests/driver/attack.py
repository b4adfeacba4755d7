"""One attack: a system, its users and its plan, from the first round to the last."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.driver.plan import Planner
from tests.driver.recorder import Recorder
from tests.driver.report import Report
from tests.driver.rounds import Driver, Result
from tests.driver.steps import LEASE_SECONDS, WORKERS
from tests.driver.system import running_system

_SETTINGS = {
    "ATOM_LEASE_SECONDS": str(LEASE_SECONDS),
    "ATOM_ACCESS_TOKEN_SECONDS": "86400",
    "ATOM_ENCODER_THREADS": "1",
    # What drifts is to be found by the driver, and not put right before it looks.
    "ATOM_CONSISTENCY_SECONDS": "0",
}


class Attack:
    """Rounds against one running system; ``close`` ends it."""

    def __init__(self, folder: Path, seed: int, rate: float) -> None:
        self._planner = Planner(seed)
        self._rounds = 0
        self._stack = ExitStack()
        with ExitStack() as opening:
            recorder = Recorder(folder / "history.jsonl")
            opening.callback(recorder.close)
            system = opening.enter_context(running_system(folder, WORKERS, _SETTINGS))
            self._driver = Driver(system, recorder, seed, rate)
            opening.callback(self._driver.close)
            self._stack = opening.pop_all()
        self.report = Report(seed, recorder, self._driver.faults)

    def round(self, operations: int, kills: int, others: int) -> Result:
        """The next round of the plan."""
        steps = self._planner.round(self._rounds, operations, kills, others)
        self._rounds += 1
        result = self._driver.run(steps)
        self.report.results.append(result)
        return result

    def close(self) -> None:
        self._stack.close()


def attack(folder: Path, seed: int, rate: float) -> Attack:
    """A system in ``folder``, running and not attacked yet."""
    return Attack(folder, seed, rate)
