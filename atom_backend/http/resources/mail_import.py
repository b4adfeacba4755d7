"""Mail files over REST: mails in, JSON lines out, as they go.

Invariant: every mail is answered by one line, in order, and one that cannot be stored fails alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from atom_backend.domain.messaging.mail import MboxMessage
from atom_backend.domain.permissions import Scope
from atom_backend.errors import AtomError, InvalidInput
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.errors import problem_of, to_the_end
from atom_backend.http.lines import NDJSON
from atom_backend.http.mail_bodies import MailFile, MailStream, MailUpload
from atom_backend.http.resources.mail_shapes import (
    MailAnswer,
    MailQuery,
    imported_answer,
    refused_answer,
)
from atom_backend.services.mailing import MailOptions

routes = Routes("mails", "Mail files that become messages.")


@routes.add(
    "POST",
    "/v1/messages/import",
    Answer(200, "One line for each mail of the request.", MailAnswer, NDJSON),
    needs=Scope.RECORDS_WRITE,
)
def import_mails(call: Call[MailQuery, MailStream | MailUpload]) -> Response:
    """Store mails (.eml) and mbox files as messages.

    Send one file as the body, or several as `file` parts of a form; what a file is, its content
    decides, or `application/mbox`. An mbox as the body may be of any size. Each mail is answered
    by a line `{"number", "file", "status", "outcome", "message" | "error", "doubts"}` while the
    rest is still being read.

    A mail is known again by its Message-ID, sender and date, so an interrupted import is simply
    sent again, and copies in several files become one message. What you did with a message since
    stays: whether it was read, tags, metadata. Where a mail is damaged or unclear, in its charset
    or its date, `doubts` says so, in this answer and in the message.
    """
    options = call.services.mailing.addressed(call.principal, call.query.options())

    def answers() -> Iterator[bytes]:
        number = 0
        with call.body.files() as files:
            for file in files:
                begun = number
                for mail in call.services.mailing.split(file.stream, mbox_file=file.mbox_file):
                    number += 1
                    yield _line(_stored(call, options, file, mail, number))
                if number == begun:
                    number += 1
                    yield _line(refused_answer(number, file.name, problem_of(_empty())))

    lines = to_the_end(answers(), lambda problem: _line(refused_answer(None, None, problem)))
    return Response(lines, content_type=NDJSON)


def _stored(
    call: Call[MailQuery, MailStream | MailUpload],
    options: MailOptions,
    file: MailFile,
    mail: MboxMessage,
    number: int,
) -> MailAnswer:
    try:
        stored = call.services.mailing.store(call.principal, mail, options)
    except AtomError as error:
        return refused_answer(number, file.name, problem_of(error))
    return imported_answer(number, file.name, stored)


def _empty() -> InvalidInput:
    return InvalidInput("There is no mail in this file: it is empty.", code="malformed_message")


def _line(answer: MailAnswer) -> bytes:
    return answer.model_dump_json().encode() + b"\n"
