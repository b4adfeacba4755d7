"""Many records in one request: JSON lines in, JSON lines out, as they go.

Invariant: every line that is not blank is answered by one line, in order, under its number; a bad
line fails alone, and nothing waits for the end of the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.resource import Resource
from atom_backend.errors import AtomError
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.errors import problem_of, to_the_end
from atom_backend.http.lines import NDJSON, LinesBody
from atom_backend.http.problems import Problem
from atom_backend.http.resources.record_shapes import Shapes, model_of, schema_name


def add_batch(routes: Routes, resource: Resource, shapes: Shapes) -> None:
    """Add the resource's bulk route."""
    one, name = resource.one, schema_name(resource)
    lines = type(f"{name}Lines", (LinesBody,), {"line_model": shapes.input})
    answered = model_of(
        f"{name}LineAnswer",
        BaseModel,
        {
            "line": (int | None, ...),
            "status": (int, ...),
            one: (shapes.answer | None, None),
            "error": (Problem | None, None),
        },
        "What became of one line; `line` is null if the request itself broke off.",
    )

    def load(call: Call[Any, Any]) -> Response:
        given = to_the_end(_answers(call), lambda problem: _failed(None, problem))
        return Response(given, content_type=NDJSON)

    def _answers(call: Call[Any, Any]) -> Iterator[bytes]:
        for line in call.body:
            try:
                given = line.read().model_dump()
                put = call.services.records.ingest(call.principal, resource, given)
                status = 201 if put.outcome == "new" else 200
                shown = {one: shapes.show(put.record)}
                yield _line(answered(line=line.number, status=status, **shown), "error")
            except AtomError as error:
                yield _failed(line.number, problem_of(error))

    def _failed(number: int | None, problem: Problem) -> bytes:
        return _line(answered(line=number, status=problem.status, error=problem), one)

    routes.made(
        f"load_{resource.name}",
        f"Store many {resource.name}, one JSON object a line.\n\n"
        f'Each line is answered by a line `{{"line", "status", "{one}" | "error"}}`, in order, '
        "while the rest of the request is still being read; read the answers while you send or, up "
        "to 256 MB, afterwards. Do not wait for an answer before you send the next line, because "
        "lines are taken in by the block. A line with an `external_id` replaces what has that name "
        "(status 200), so an interrupted load is simply sent again.",
        f"POST /v1/{resource.name}/batch",
        Answer(200, "One line for each line of the request.", answered, NDJSON),
        handler=load,
        needs=Scope.RECORDS_WRITE,
        body=lines,
    )


def _line(answer: BaseModel, absent: str) -> bytes:
    return answer.model_dump_json(exclude={absent}).encode() + b"\n"
