"""The consistency job: checks and repairs, as the schedule or an administrator wants them.

One elected worker runs them, one at a time, and keeps the election until the run has its end; a
worker that dies loses the election with its connection, and the next one finds what it left.
Invariant: the runs in the database decide what is due, so neither restarts nor further workers
make a repair come twice in an interval.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from atom_backend.coordinator.check import Checking, Repairing
from atom_backend.domain.consistency import (
    Agenda,
    ConsistencyRun,
    ConsistencyRuns,
    RunKind,
    RunOrder,
    Schedule,
)
from atom_backend.domain.drift import DriftReport, RepairReport
from atom_backend.domain.ports import Transactions
from atom_backend.errors import AtomError

logger = logging.getLogger(__name__)

REPAIR_UNDER_WAY = "repair_under_way"
"""The code of a repair's error while an operator's command repairs: the run waits for its turn."""

_DUTY = "consistency"
_LONGEST_PAUSE = 5.0
"""Seconds between looks at the agenda: what an announcement that got lost costs."""


class _CutShort(Exception):
    """The worker was told to stop in the middle of a run."""


class ConsistencyJob:
    """Runs what is queued or due."""

    def __init__(
        self,
        transactions: Transactions,
        check: Checking,
        repair: Repairing,
        schedule: Schedule,
    ) -> None:
        self._transactions = transactions
        self._check = check
        self._repair = repair
        self._schedule = schedule
        self._stopping = Event()

    def turn(self) -> float:
        """At most one run; the seconds that may be waited after it."""
        with self._transactions.worker() as work:
            pause = self._pause(work.consistency.agenda())
        if pause > 0 or self._stopping.is_set():
            return pause
        with self._transactions.elected(_DUTY) as mine:
            run = self._next_run() if mine else None
            if run is None:
                return _LONGEST_PAUSE
            return 0.0 if self._perform(run) else _LONGEST_PAUSE

    def cut_short(self) -> None:
        """Let a turn on another thread end soon; its run is left for the next worker."""
        self._stopping.set()

    def _pause(self, agenda: Agenda) -> float:
        if agenda.waiting:
            return 0.0
        due_in = self._schedule.wait(agenda)
        return _LONGEST_PAUSE if due_in is None else min(due_in, _LONGEST_PAUSE)

    def _next_run(self) -> ConsistencyRun | None:
        """Looked at anew: another worker may have done it since this one was not elected."""
        with self._transactions.worker() as work:
            agenda = work.consistency.agenda()
            # What waits may be the very repair that is due, left behind by a worker that died.
            if not agenda.waiting and self._schedule.wait(agenda) == 0:
                work.consistency.schedule()
            return work.consistency.take()

    def _perform(self, run: ConsistencyRun) -> bool:
        """Whether the run came to an end, good or bad."""
        try:
            report, drift = self._report(run.order)
        except _CutShort:
            self._end(run, lambda runs: runs.give_back(run, "its worker was told to stop"))
            return False
        except AtomError as error:
            message = error.message
            if error.code == REPAIR_UNDER_WAY:
                self._end(run, lambda runs: runs.give_back(run, message))
                return False
            logger.warning("a %s came to nothing: %s", run.order, message)
            self._end(run, lambda runs: runs.fail(run, message))
        else:
            self._end(run, lambda runs: runs.finish(run, report, drift))
        return True

    def _report(self, order: RunOrder) -> tuple[Mapping[str, Any], Mapping[str, int]]:
        """What the run says, and the drift that it found."""
        said: DriftReport | RepairReport
        if order.kind is RunKind.CHECK:
            said = found = self._check.run(self._go_on)
        else:
            said = self._repair.run(dry_run=order.dry_run, progress=self._go_on)
            found = said.drift
        logger.log(logging.INFO if found.in_step else logging.WARNING, "%s: %s", order, said)
        return said.as_json(), {drift.value: count for drift, count in found.counts.items()}

    def _go_on(self, done: int, of: int) -> None:
        """Progress, as a check tells it, is where a run can be left."""
        if self._stopping.is_set():
            raise _CutShort

    def _end(self, run: ConsistencyRun, give: Callable[[ConsistencyRuns], bool]) -> None:
        with self._transactions.worker() as work:
            ended = give(work.consistency)
        if not ended:
            logger.warning("another worker has begun the %s again: this one is void", run.order)
