"""Taking everything along: the own account as a file, and back into an empty one."""

from __future__ import annotations

from itertools import chain
from typing import Self

from flask import Request, Response
from pydantic import BaseModel

from atom_backend.domain.limits import TEXT_CHARS
from atom_backend.domain.permissions import Scope
from atom_backend.http.body_stream import BodyStream
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.errors import to_the_end
from atom_backend.http.lines import NDJSON, LinesBody
from atom_backend.http.problems import Problem
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.archive_reading import archive_of
from atom_backend.http.resources.archive_shapes import ArchiveLine, ProblemLine
from atom_backend.http.resources.archive_writing import archive_lines

routes = Routes("archives", "Everything that an account keeps, as one file.")

LONGEST_LINE = 8 * TEXT_CHARS
"""Bytes: the longest text, if each of its characters is escaped, and what stands beside it."""

LARGEST = 4 * 1024**3
"""Bytes of a whole archive, which waits on disk until it is stored."""


class ArchiveBody(LinesBody[ArchiveLine]):
    """An archive, line by line."""

    line_model = ArchiveLine

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        return cls(BodyStream(request, LARGEST), LONGEST_LINE)


class RestoredAnswer(BaseModel):
    """How many records were brought back, by resource."""

    restored: dict[str, int]


@routes.add(
    "GET",
    "/v1/users/me/export",
    Answer(200, "The archive; one whose last line is not `end` is cut off.", ArchiveLine, NDJSON),
    needs=Scope.ARCHIVE_EXPORT,
)
def export_me(call: Call[None, None]) -> Response:
    """Everything that the account keeps, of one moment, as JSON lines.

    A line `export`, a line `account`, a line for each record, and a line `end` that counts them.
    No passwords, tokens or sessions. If something fails on the way, the last line is `problem`.
    """
    everything = call.services.exporting.everything(call.principal)
    lines = archive_lines(everything)
    first = next(lines)  # What fails up to here is still answered with a status of its own.
    answer = Response(to_the_end(chain([first], lines), _failed), content_type=NDJSON)
    # Also where the client has gone, and nobody will ask for the rest.
    answer.call_on_close(everything.close)
    answer.headers["Content-Disposition"] = 'attachment; filename="export.ndjson"'
    return answer


@routes.add(
    "POST",
    "/v1/users/me/import",
    Answer(200, "Everything was stored.", RestoredAnswer),
    needs=Scope.ARCHIVE_IMPORT,
    problems=(409,),
)
def import_me(call: Call[None, ArchiveBody]) -> Response:
    """Bring an archive back into an empty account: all of it or, if anything is wrong, nothing.

    Records keep their identifiers, revisions and times, and are indexed anew. Pointers of problems
    begin with the number of the line. 409 `account_not_empty`; 409 `id_taken` when an identifier
    is in use on this server; 409 `being_erased` while the index still has to forget an erased
    account's item of that identifier; 422 `incomplete_export` when the file was cut off.
    """
    with archive_of(call.body) as archive:
        restored = call.services.restoring.restore(call.principal, archive)
    return json_reply(RestoredAnswer(restored=dict(restored)))


def _failed(problem: Problem) -> bytes:
    return ProblemLine(problem=problem).model_dump_json(exclude_none=True).encode() + b"\n"
