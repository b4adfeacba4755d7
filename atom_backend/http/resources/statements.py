"""Bank statements over REST: preview, answer the questions, import."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from atom_backend.domain.calendar.local_time import zone
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.statement_shapes import (
    ImportAnswer,
    PreviewAnswer,
    StatementPreview,
    StatementUpload,
    import_answer,
    preview_answer,
)

routes = Routes("statements", "Bank statements (CSV): how they are read, and their import.")


@routes.add(
    "POST",
    "/v1/accounts/{account_id}/statements/preview",
    Answer(200, "How the file is read.", PreviewAnswer),
    needs=Scope.RECORDS_READ,
)
def preview_statement(call: Call[None, StatementPreview], account_id: UUID) -> Response:
    """Look at a statement: the proposed mapping, and a question wherever the file is not clear.

    Nothing is stored. Answer the questions in `mapping` and ask again, or import.
    """
    body = call.body
    found = call.services.statements.preview(
        call.principal, account_id, body.file.content, zone(body.time_zone), body.mapping.chosen()
    )
    return json_reply(preview_answer(found))


@routes.add(
    "POST",
    "/v1/accounts/{account_id}/statements/import",
    Answer(200, "What became of the rows.", ImportAnswer),
    needs=Scope.RECORDS_WRITE,
    problems=(409,),
)
def import_statement(call: Call[None, StatementUpload], account_id: UUID) -> Response:
    """Store the rows of a statement as transactions, all readable ones in one transaction.

    What cannot be read is named and left out. A row that is there already, from this file or one
    that overlaps with it, is left as it is: importing again adds nothing. 422 `incomplete_mapping`
    while the mapping leaves something open.
    """
    body = call.body
    done = call.services.statements.load(
        call.principal, account_id, body.file.content, zone(body.time_zone), body.mapping.chosen()
    )
    return json_reply(import_answer(done))
