"""Stored runs of check and repair: who asked for them, how far they are, what they found.

Invariant (I5): a run is queued, running, done with a report, or failed with a reason. One that
its worker did not finish is found by the next worker and run again, but not for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID
from zlib import crc32

MOST_ATTEMPTS = 2
"""A run that was begun so often and never ended is given up: it may be what kills its workers."""

_SPREAD = 0.1
"""By what part of it an interval may be shorter or longer, so that many services do not beat."""

_RETRY_SHARE = 0.1
"""What part of the interval is waited after a repair that failed."""


class RunKind(StrEnum):
    """What a run does: look, or look and mend."""

    CHECK = "check"
    REPAIR = "repair"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What is to be run; a dry run of a repair says what it would do."""

    kind: RunKind
    dry_run: bool = False

    def __str__(self) -> str:
        return f"dry run of a {self.kind}" if self.dry_run else str(self.kind)


@dataclass(frozen=True, slots=True)
class ConsistencyRun:
    """One run. ``requested_by`` is an administrator, or ``None`` for the schedule.

    ``drift`` is what was found, by kind of drift; ``report`` all that the run said.
    """

    id: UUID
    order: RunOrder
    state: RunState
    attempts: int
    requested_by: UUID | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    drift: Mapping[str, int] | None
    report: Mapping[str, Any] | None
    reason: str | None

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Agenda:
    """What there is to do at the moment ``now`` (the database's).

    ``waiting``: a run is queued, or running in a worker that may be dead. ``last_repair``: the
    repair that ended last, whoever asked for it; dry runs do not count.
    """

    now: datetime
    waiting: bool
    last_repair: ConsistencyRun | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A repair every ``seconds``; 0: none but those that somebody asks for."""

    seconds: float

    def wait(self, agenda: Agenda) -> float | None:
        """Seconds until the next repair is due, 0 when it is, ``None`` when none will be."""
        if not self.seconds:
            return None
        last = agenda.last_repair
        if last is None or last.finished_at is None:
            return 0.0
        share = 1.0 if last.state is RunState.DONE else _RETRY_SHARE
        interval = timedelta(seconds=self.seconds * share * spread(last.id))
        return max(0.0, (last.finished_at + interval - agenda.now).total_seconds())


def spread(run_id: UUID) -> float:
    """A factor between 0.9 and 1.1 that every worker draws alike from the last run's identifier."""
    drawn = crc32(run_id.bytes) / 0xFFFFFFFF
    return 1.0 + _SPREAD * (2.0 * drawn - 1.0)


def newly_found(found: Mapping[str, int], standing: Mapping[str, int]) -> dict[str, int]:
    """What a run found beyond what the run before it had found and left alone, by kind.

    A check repeated does not find the same drift twice; what comes back after a repair is new.
    """
    return {
        kind: count - min(count, standing.get(kind, 0))
        for kind, count in found.items()
        if count > standing.get(kind, 0)
    }


@dataclass(frozen=True, slots=True)
class ConsistencyTotals:
    """What finished runs add up to since the database was made; sweeping old runs changes nothing.

    ``found`` counts drift by kind, each once until it is repaired; ``drift`` is what the last run
    found. By kind of run, dry runs being checks: how many are done, how many failed, the seconds
    that the done ones took, and when the last of them ended.
    """

    found: Mapping[str, int]
    drift: Mapping[str, int]
    done: Mapping[str, int]
    failed: Mapping[str, int]
    seconds: Mapping[str, float]
    done_at: Mapping[str, datetime]


class RunRequests(Protocol):
    """An administrator's side of the runs."""

    def request(self, order: RunOrder) -> ConsistencyRun:
        """Queue a run and wake the workers; the one that is queued already, if there is one."""
        ...

    def get(self, run_id: UUID) -> ConsistencyRun:
        """Raises NotFound."""
        ...

    def latest(self, limit: int) -> list[ConsistencyRun]:
        """Newest first."""
        ...

    def last(self, kind: RunKind) -> ConsistencyRun | None:
        """The run that ended last, well or not; a dry run of a repair counts as a check."""
        ...


class ConsistencyRuns(Protocol):
    """The worker's side of the runs.

    Whoever calls ``take`` must be the one elected worker. An end is given only to the attempt that
    was taken, so that a worker which lost its election changes nothing.
    """

    def agenda(self) -> Agenda: ...

    def schedule(self) -> None:
        """Queue a repair on nobody's behalf, if none is queued."""
        ...

    def take(self) -> ConsistencyRun | None:
        """Begin the run that has waited for longest, or one that no worker runs any more.

        One that was begun ``MOST_ATTEMPTS`` times fails instead.
        """
        ...

    def finish(
        self, run: ConsistencyRun, report: Mapping[str, Any], drift: Mapping[str, int]
    ) -> bool:
        """Whether the run was still this worker's."""
        ...

    def fail(self, run: ConsistencyRun, reason: str) -> bool:
        """The same, for one that came to nothing."""
        ...

    def give_back(self, run: ConsistencyRun, reason: str) -> bool:
        """The same, for one that could not be done now: it is taken again, unblamed."""
        ...

    def last(self, kind: RunKind) -> ConsistencyRun | None:
        """As administrators see it."""
        ...

    def totals(self) -> ConsistencyTotals: ...
