"""Importing mails as messages, each its own transaction.

A mail is named by its Message-ID together with its sender and date: a copy of it, from another
folder or by a mailing list, is the same message, and a mail that merely claims the id of another
does not replace it. One without an id is named by its bytes. Invariant: what is sent again makes
nothing twice, and what the owner did with a message since (read it, tagged it) stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, BinaryIO, Literal
from uuid import UUID

from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.messaging.mail import Doubt, Mail, MboxMessage, Note
from atom_backend.domain.messaging.messages import Address, Attachment, MessageDraft
from atom_backend.domain.messaging.threads import substitute_id
from atom_backend.domain.ports import MailReader, Transactions
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.listing import NOW
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import NotFound, PreconditionFailed, RequestError
from atom_backend.services.records import Put, RecordService
from atom_backend.services.uploads import Uploads

_ATTEMPTS = 3
_DIGITS = 12
_BORDER = Note(Doubt.BORDER_UNSURE, "mbox", "its separator was odd or missing")


@dataclass(frozen=True, slots=True)
class MailOptions:
    """What holds for every mail of an import.

    ``own``: addresses of the owner besides that of the account; ``read``: what is new was read
    already; ``documents``: attachments whose text can be read become documents.
    """

    source: str | None = None
    tags: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    read: bool = False
    documents: bool = False


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """What became of an attachment: a document, or ``error``, why there is none."""

    name: str | None
    document_id: UUID | None = None
    error: RequestError | None = None


@dataclass(frozen=True, slots=True)
class ImportedMail:
    """What became of a mail; ``files`` only where documents were wanted."""

    record: Record
    outcome: Literal["new", "replaced", "unchanged"]
    notes: tuple[Note, ...]
    files: tuple[AttachedFile, ...] = ()


class Mailing:
    """The use cases around mail files."""

    def __init__(
        self,
        transactions: Transactions,
        mails: MailReader,
        records: RecordService,
        uploads: Uploads,
    ) -> None:
        self._transactions = transactions
        self.mails = mails
        self._records = records
        self._uploads = uploads

    def split(self, stream: BinaryIO, *, mbox_file: bool | None = None) -> Iterator[MboxMessage]:
        """The mails of a file, as ``MailReader.split`` tells them apart."""
        return self.mails.split(stream, mbox_file=mbox_file)

    def addressed(self, principal: Principal, options: MailOptions) -> MailOptions:
        """The same with the address of the account among the owner's."""
        with self._transactions.owner(principal) as work:
            return replace(options, own=(*options.own, work.account.get().email))

    def store(self, principal: Principal, given: MboxMessage, options: MailOptions) -> ImportedMail:
        """``options`` as ``addressed`` gave them. Raises RequestError, also for what is no mail."""
        mail = self.mails.mail(
            given.content, own=options.own, cut=given.cut, files=options.documents
        )
        notes = (*mail.notes, _BORDER) if given.damaged else mail.notes
        message_id = mail.message.message_id or substitute_id(given.content)
        name = _name(message_id, mail.message)
        files: tuple[AttachedFile, ...] = ()
        if options.documents:
            files = tuple(self._attached(principal, mail, name, options))
        values = _values(mail.message, notes, options) | {
            "message_id": message_id,
            "external_id": name,
        }
        named = {
            attachment.sha256: one.document_id
            for attachment, one in zip(mail.message.attachments, files, strict=False)
        }
        put = self._put(principal, values, named, read=options.read)
        return ImportedMail(put.record, put.outcome, notes, files)

    def _put(
        self,
        principal: Principal,
        values: Mapping[str, Any],
        named: Mapping[str, UUID | None],
        *,
        read: bool,
    ) -> Put:
        for left in reversed(range(_ATTEMPTS)):
            before = self._before(principal, values["external_id"])
            kept = {"read_at": NOW if read else None} if before is None else _kept(before, values)
            known = {} if before is None else _documents(before)
            attachments = tuple(
                one | {"document_id": named.get(one["sha256"]) or known.get(one["sha256"])}
                for one in values["attachments"]
            )
            given = {**values, **kept, "attachments": attachments}
            seen = None if before is None else IfMatch(frozenset({before.revision}))
            try:
                return self._records.put(principal, MESSAGES, given, seen)
            except PreconditionFailed:
                # The owner was faster: what they did must not be lost.
                if not left:
                    raise
        raise AssertionError

    def _before(self, principal: Principal, external_id: str) -> Record | None:
        try:
            return self._records.get_by_external_id(principal, MESSAGES, external_id)
        except NotFound:
            return None

    def _attached(
        self, principal: Principal, mail: Mail, name: str, options: MailOptions
    ) -> Iterator[AttachedFile]:
        """A document of each file, before the message that refers to it."""
        for number, (attachment, content) in enumerate(
            zip(mail.message.attachments, mail.files, strict=True)
        ):
            described = {
                "source": options.source,
                "external_id": f"attachment:{sha256(name.encode()).hexdigest()}:{number}",
                "tags": options.tags,
                "metadata": {"attached_to": name},
            }
            try:
                given = self._uploads.read(content, attachment.name, described)
                document = self._records.put(principal, DOCUMENTS, given).record
                yield AttachedFile(attachment.name, document.id)
            except RequestError as error:
                yield AttachedFile(attachment.name, error=error)


def _name(message_id: str, message: MessageDraft) -> str:
    """The external identifier of a mail."""
    sender = "" if message.sender is None else message.sender.address.casefold()
    sent_at = "" if message.sent_at is None else f"{message.sent_at.timestamp():.0f}"
    told = sha256(f"{sender}\0{sent_at}".encode()).hexdigest()[:_DIGITS]
    name = f"{message_id}#{told}"
    return name if len(name) <= NAME_CHARS else f"{sha256(name.encode()).hexdigest()}#{told}"


def _values(message: MessageDraft, notes: Sequence[Note], options: MailOptions) -> dict[str, Any]:
    recipients = message.recipients
    roles = {"to": recipients.to, "cc": recipients.cc, "bcc": recipients.bcc}
    return {
        "kind": str(message.kind),
        "sender": None if message.sender is None else _person(message.sender),
        "recipients": tuple(
            {"role": role, **_person(one)} for role, people in roles.items() for one in people
        ),
        "subject": message.subject.strip() or None,
        "body": message.body if message.body.strip() else None,
        "sent_at": message.sent_at,
        "direction": str(message.direction),
        "in_reply_to": message.in_reply_to,
        "references": message.references,
        "headers": message.headers,
        "attachments": tuple(map(_file, message.attachments)),
        "doubts": tuple({**asdict(note), "doubt": str(note.doubt)} for note in notes),
        "source": options.source,
        "tags": options.tags,
    }


def _person(one: Address) -> dict[str, str | None]:
    return {"name": one.name or None, "address": one.address or None}


def _file(one: Attachment) -> dict[str, Any]:
    return {**asdict(one), "document_id": None}


def _kept(before: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to the owner, not to the mail."""
    tags = dict.fromkeys((*before.values["tags"], *values["tags"]))
    return {
        "read_at": before.values["read_at"],
        "tags": tuple(tags),
        "metadata": before.values["metadata"],
        "source": before.values["source"] or values["source"],
    }


def _documents(before: Record) -> dict[str, UUID]:
    """The documents that the message refers to, by the digests of their files."""
    attachments = before.values["attachments"]
    return {one["sha256"]: one["document_id"] for one in attachments if one["document_id"]}
