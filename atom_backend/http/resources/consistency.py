"""Whether the two stores are in step: the last runs, and asking for another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from atom_backend.domain.consistency import RunKind, RunOrder
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.consistency_shapes import (
    CheckOrder,
    ConsistencyAnswer,
    RepairOrder,
    RunAnswer,
    RunReportAnswer,
)

routes = Routes("consistency", "Whether the stores are in step; for administrators.")

_LOCATION = {"Location": "The address of the run."}
_QUEUED = Answer(202, "The run that a worker will begin.", RunAnswer, headers=_LOCATION)


@routes.add(
    "GET",
    "/v1/admin/consistency",
    Answer(200, "The last runs, and what waits.", ConsistencyAnswer),
    needs=Scope.ADMIN_READ,
)
def read_consistency(call: Call[None, None]) -> Response:
    """The last checks and repairs, the drift found, and how far the index is behind."""
    found = call.services.consistency.overview(call.principal)
    return json_reply(ConsistencyAnswer.of(found))


@routes.add("POST", "/v1/admin/consistency/check", _QUEUED, needs=Scope.ADMIN_WRITE)
def request_check(call: Call[None, CheckOrder]) -> Response:
    """Ask for a check, which changes nothing.

    While one is queued, asking again gives the same run.
    """
    return _request(call, RunOrder(RunKind.CHECK))


@routes.add("POST", "/v1/admin/consistency/repair", _QUEUED, needs=Scope.ADMIN_WRITE)
def request_repair(call: Call[None, RepairOrder]) -> Response:
    """Ask for a repair: a check, then every drifted item is indexed anew and orphans are removed.

    While one is queued, asking again gives the same run; a dry run is a run of its own.
    """
    return _request(call, RunOrder(RunKind.REPAIR, call.body.dry_run))


@routes.add(
    "GET",
    "/v1/admin/consistency/runs/{run_id}",
    Answer(200, "The run, with its report when it is done.", RunReportAnswer),
    needs=Scope.ADMIN_READ,
)
def read_run(call: Call[None, None], run_id: UUID) -> Response:
    """How far a run is, and what it found."""
    return json_reply(RunReportAnswer.of(call.services.consistency.run(call.principal, run_id)))


def _request(call: Call[None, Any], order: RunOrder) -> Response:
    run = call.services.consistency.request(call.principal, order)
    address = f"{call.root}/v1/admin/consistency/runs/{run.id}"
    return json_reply(RunAnswer.of(run), 202, Location=address)
