"""Many documents in one request: JSON lines in, JSON lines out, as they go.

Invariant: every line that is not blank is answered by one line, in order, under its number; a bad
line fails alone, and nothing waits for the end of the request.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from pydantic import BaseModel

from atom_backend.errors import AtomError
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.errors import problem_of, to_the_end
from atom_backend.http.lines import NDJSON, Line, LinesBody
from atom_backend.http.problems import Problem
from atom_backend.http.resources.document_drafts import draft_of
from atom_backend.http.resources.document_shapes import DocumentAnswer, DocumentInput

routes = Routes("bulk", "Loading many documents at once.")


class DocumentLines(LinesBody[DocumentInput]):
    """One document a line."""

    line_model = DocumentInput


class LineAnswer(BaseModel):
    """What became of one line; `line` is null if the request itself broke off."""

    line: int | None
    status: int
    document: DocumentAnswer | None = None
    error: Problem | None = None


@routes.add(
    "POST",
    "/v1/documents/batch",
    Answer(200, "One line for each line of the request.", LineAnswer, NDJSON),
)
def load_documents(call: Call[None, DocumentLines]) -> Response:
    """Store many documents, one JSON object a line.

    Each line is answered by a line `{"line", "status", "document" | "error"}`, in order, while
    the rest of the request is still being read; read the answers while you send or, up to
    256 MB, afterwards. Do not wait for an answer before you send the next line, because lines
    are taken in by the block. A document with an `external_id` replaces the one of that name
    (status 200), so an interrupted load is simply sent again.
    """
    lines = to_the_end(_answers(call), lambda problem: _failed(None, problem))
    return Response(lines, content_type=NDJSON)


def _answers(call: Call[None, DocumentLines]) -> Iterator[bytes]:
    for line in call.body:
        try:
            yield _stored(call, line)
        except AtomError as error:
            yield _failed(line.number, problem_of(error))


def _stored(call: Call[None, DocumentLines], line: Line[DocumentInput]) -> bytes:
    body = line.read()
    draft = draft_of(body, call.services.uploads, body.external_id)
    stored = call.services.bulk.ingest(call.principal, draft)
    status = 201 if stored.outcome == "new" else 200
    document = DocumentAnswer.of(stored.document)
    return _line(LineAnswer(line=line.number, status=status, document=document))


def _failed(number: int | None, problem: Problem) -> bytes:
    return _line(LineAnswer(line=number, status=problem.status, error=problem))


def _line(answer: LineAnswer) -> bytes:
    absent = {"error"} if answer.error is None else {"document"}
    return answer.model_dump_json(exclude=absent).encode() + b"\n"
