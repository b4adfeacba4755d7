"""Checks and repairs that do what a test says, to try the job that runs them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from uuid import UUID

from atom_backend.coordinator.check import Progress
from atom_backend.coordinator.consistency import ConsistencyJob
from atom_backend.domain.consistency import ConsistencyRun, RunKind, RunOrder, Schedule
from atom_backend.domain.drift import Drift, DriftReport, RepairReport
from atom_backend.domain.ports import Transactions

PATIENCE = 20.0
HOUR = 3600.0
CHECK, REPAIR = RunOrder(RunKind.CHECK), RunOrder(RunKind.REPAIR)
DRY = RunOrder(RunKind.REPAIR, dry_run=True)

Ask = Callable[[RunOrder], UUID]
Read = Callable[[UUID], ConsistencyRun]


def found(**counts: int) -> DriftReport:
    """A report of this much drift, by kind."""
    return DriftReport(
        items=9,
        chunks=9,
        in_flight=0,
        parked=0,
        counts={Drift(kind): count for kind, count in counts.items()},
        examples=(),
        seconds=0.1,
    )


class Looks:
    """Everything that was looked at in this way; ``during`` is called in the middle of each."""

    def __init__(
        self,
        report: DriftReport | None = None,
        during: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._report = report or found()
        self._during = during
        self.done: list[str] = []

    def job(self, transactions: Transactions, seconds: float = 0.0) -> ConsistencyJob:
        """The job of one worker."""
        return ConsistencyJob(
            transactions, _Check(self._look), _Repair(self._look), Schedule(seconds)
        )

    def _look(self, what: str, progress: Progress | None) -> DriftReport:
        assert progress is not None
        progress(0, 9)
        self._during(progress)
        progress(9, 9)
        self.done.append(what)
        return self._report


_Look = Callable[[str, Progress | None], DriftReport]


class _Check:
    def __init__(self, look: _Look) -> None:
        self._look = look

    def run(self, progress: Progress | None = None) -> DriftReport:
        return self._look("check", progress)


class _Repair:
    def __init__(self, look: _Look) -> None:
        self._look = look

    def run(self, *, dry_run: bool = False, progress: Progress | None = None) -> RepairReport:
        report = self._look("dry run" if dry_run else "repair", progress)
        return RepairReport(report, requeued=1, pruned=0, dry_run=dry_run, seconds=0.2)


def in_background(job: ConsistencyJob) -> Future[float]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(job.turn)
    pool.shutdown(wait=False)
    return future


class Held:
    """Holds up a look until it is let go; meanwhile it tells its progress again and again."""

    def __init__(self) -> None:
        self._reached, self._let_go = Event(), Event()

    def __call__(self, progress: Progress) -> None:
        self._reached.set()
        for _ in range(int(PATIENCE / 0.01)):
            if self._let_go.wait(0.01):
                return
            progress(1, 9)
        raise AssertionError("nobody let it go")

    def wait(self) -> None:
        """Until somebody is held."""
        assert self._reached.wait(PATIENCE)

    def let_go(self) -> None:
        self._let_go.set()
