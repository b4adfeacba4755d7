"""What requests about mail files say, and what they are answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.resources.rules import Record
from atom_backend.http.errors import problem_of
from atom_backend.http.fields import Moment, Name, Tags, Truth, text_of
from atom_backend.http.problems import Problem
from atom_backend.http.queries import Parameters
from atom_backend.services.mailing import AttachedFile, ImportedMail, MailOptions

_MOST_ADDRESSES = 50


class MailQuery(Parameters):
    """What holds for every mail of the request."""

    source: Name | None = Field(None, description="To note as the source of each message.")
    tag: Tags = Field((), description="To add to each message; may be repeated.")
    address: tuple[text_of(320), ...] = Field(  # type: ignore[valid-type]
        (),
        max_length=_MOST_ADDRESSES,
        description="A mail address of the owner besides the account's, to tell `direction` by.",
    )
    read: Truth = Field(False, description="Whether what is new counts as read.")
    attachments: Literal["metadata", "documents"] = Field(
        "metadata",
        description="`documents`: each attachment whose text can be read becomes a document.",
    )

    def options(self) -> MailOptions:
        """The same for the service."""
        return MailOptions(
            source=self.source,
            tags=self.tag,
            own=self.address,
            read=self.read,
            documents=self.attachments == "documents",
        )


class Outcome(StrEnum):
    """What became of a mail."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


OUTCOMES = {"new": Outcome.CREATED, "replaced": Outcome.REPLACED, "unchanged": Outcome.UNCHANGED}


class DoubtAnswer(BaseModel):
    """Where the mail was damaged or unclear, and what was taken for right."""

    doubt: Doubt
    where: str
    detail: str


class ImportedMessage(BaseModel):
    """The message that a mail has become."""

    id: UUID
    external_id: str
    message_id: str
    conversation_id: UUID
    subject: str | None
    sent_at: Moment | None

    @classmethod
    def of(cls, record: Record) -> ImportedMessage:
        told = {name: record.values[name] for name in cls.model_fields if name != "id"}
        return cls(id=record.id, **told)


class AttachmentAnswer(BaseModel):
    """What became of an attachment; `error` says why there is no document of it."""

    name: str | None
    document_id: UUID | None
    error: Problem | None

    @classmethod
    def of(cls, one: AttachedFile) -> AttachmentAnswer:
        error = None if one.error is None else problem_of(one.error)
        return cls(name=one.name, document_id=one.document_id, error=error)


class MailAnswer(BaseModel):
    """What became of one mail.

    `number` counts the mails of the request from 1, and is null if the request itself broke off;
    `file` is the name of the file in a form. `attachments` is empty where no documents were asked
    for.
    """

    number: int | None
    file: str | None
    status: int
    outcome: Outcome
    message: ImportedMessage | None = None
    doubts: list[DoubtAnswer] = []
    attachments: list[AttachmentAnswer] = []
    error: Problem | None = None


def imported_answer(number: int, file: str | None, mail: ImportedMail) -> MailAnswer:
    """How a mail that was stored is answered."""
    return MailAnswer(
        number=number,
        file=file,
        status=201 if mail.outcome == "new" else 200,
        outcome=OUTCOMES[mail.outcome],
        message=ImportedMessage.of(mail.record),
        doubts=[
            DoubtAnswer(doubt=note.doubt, where=note.where, detail=note.detail)
            for note in mail.notes
        ],
        attachments=list(map(AttachmentAnswer.of, mail.files)),
    )


def refused_answer(number: int | None, file: str | None, problem: Problem) -> MailAnswer:
    """How a mail that could not be stored is answered."""
    return MailAnswer(
        number=number,
        file=file,
        status=problem.status,
        outcome=Outcome.REFUSED,
        error=problem,
    )
