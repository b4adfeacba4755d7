"""What requests about consistency say, and what they are answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from atom_backend.domain.consistency import ConsistencyRun, RunKind, RunState
from atom_backend.domain.index_state import IndexStatistics
from atom_backend.http.bodies import JsonBody
from atom_backend.http.fields import Moment, Truth
from atom_backend.services.consistency import ConsistencyOverview


class CheckOrder(JsonBody):
    """A check needs no more than an empty object."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class RepairOrder(JsonBody):
    """A repair; a dry run says what it would do, and does nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: Truth = False


class RunAnswer(BaseModel):
    """A run. `requested_by` is null for the schedule, `drift` before the run is done.

    `reason` says why it failed, or why it has to begin again.
    """

    id: UUID
    kind: RunKind
    dry_run: bool
    state: RunState
    requested_by: UUID | None
    requested_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    seconds: float | None
    drift: dict[str, int] | None
    reason: str | None

    @classmethod
    def of(cls, run: ConsistencyRun) -> RunAnswer:
        return cls(**_fields(run))


class RunReportAnswer(RunAnswer):
    """A run with all that it reported: what the commands `check` and `repair` print as JSON."""

    report: dict[str, Any] | None

    @classmethod
    def of(cls, run: ConsistencyRun) -> RunReportAnswer:
        return cls(**_fields(run), report=None if run.report is None else dict(run.report))


class ParkedAnswer(BaseModel):
    """An item that is not tried again by itself."""

    item_id: UUID
    reason: str


class DepthAnswer(BaseModel):
    """Index entries by state; tombstones are counted once more in theirs."""

    due: int
    leased: int
    settled: int
    parked: int
    tombstones: int

    @classmethod
    def of(cls, index: IndexStatistics) -> DepthAnswer:
        return cls(**{name: getattr(index, name) for name in cls.model_fields})


class ConsistencyAnswer(BaseModel):
    """Whether the stores are in step, as far as the last runs know.

    `drift`: what the last run that was done found, by kind. A dry run of a repair counts as a
    check. `runs`: newest first. `parked`: the oldest.
    """

    last_check: RunAnswer | None
    last_repair: RunAnswer | None
    drift: dict[str, int]
    lag_seconds: float
    depth: DepthAnswer
    parked: list[ParkedAnswer]
    runs: list[RunAnswer]

    @classmethod
    def of(cls, found: ConsistencyOverview) -> ConsistencyAnswer:
        return cls(
            last_check=_if_any(found.last_check),
            last_repair=_if_any(found.last_repair),
            drift=dict(found.drift),
            lag_seconds=found.index.lag_seconds,
            depth=DepthAnswer.of(found.index),
            parked=[ParkedAnswer(item_id=item, reason=reason) for item, reason in found.parked],
            runs=[RunAnswer.of(run) for run in found.runs],
        )


def _if_any(run: ConsistencyRun | None) -> RunAnswer | None:
    return None if run is None else RunAnswer.of(run)


def _fields(run: ConsistencyRun) -> dict[str, Any]:
    drift = None if run.drift is None else dict(run.drift)
    order = {"kind": run.order.kind, "dry_run": run.order.dry_run}
    plain = set(RunAnswer.model_fields) - {"drift", *order}
    return {**{name: getattr(run, name) for name in plain}, **order, "drift": drift}
