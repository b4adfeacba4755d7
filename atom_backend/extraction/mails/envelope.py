"""Reads who wrote a mail, to whom, when, about what and in answer to which.

Invariant: every field is within its bound of ``domain/messages.py``; what was left out is noted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import (
    HEADER_CHARS,
    RECIPIENTS,
    REFERENCES,
    SUBJECT_CHARS,
    Address,
    MessageDraft,
    MessageKind,
    Recipients,
    direction,
)
from atom_backend.domain.messaging.threads import bounded, message_id, message_ids, replied_to
from atom_backend.extraction.mails import fields
from atom_backend.extraction.mails.mime import Part
from atom_backend.extraction.mails.notes import Notes

KEPT_HEADERS: Final = (
    *("reply-to", "return-path", "delivered-to", "resent-from", "organization"),
    *("list-id", "list-post", "list-unsubscribe", "list-archive"),
    *("auto-submitted", "precedence", "importance", "x-priority"),
    *("user-agent", "x-mailer", "content-language"),
)
"""Who else is meant, which list it is, whether a program wrote it; no trace of the transport."""

_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to")


def envelope(message: Part, own: Collection[str], notes: Notes) -> MessageDraft:
    """A draft without body and attachments; ``own`` are the addresses of the owner."""
    sender = _sender(message, notes)
    recipients = _recipients(message, notes)
    delivered = (fields.addresses(message, name, notes) for name in _DELIVERED_TO)
    reached = [*recipients, *(address for addresses in delivered for address in addresses)]
    return MessageDraft(
        kind=MessageKind.EMAIL,
        sender=sender,
        recipients=recipients,
        subject=_cut(fields.text(message, "subject", notes), SUBJECT_CHARS, "subject", notes),
        sent_at=fields.date(message, notes),
        direction=direction(sender, [one.address for one in reached], own),
        message_id=_message_id(message, notes),
        in_reply_to=replied_to(fields.raw(message, "in-reply-to", notes)),
        references=_references(message, notes),
        headers=_headers(message, notes),
    )


def _sender(message: Part, notes: Notes) -> Address | None:
    """The first author, else who sent it (RFC 5322, section 3.6.2)."""
    for name in ("from", "sender"):
        found = fields.addresses(message, name, notes)
        if found:
            return found[0]
    notes.add(Doubt.ADDRESS_MISSING, "from", "it does not say who wrote it")
    return None


def _recipients(message: Part, notes: Notes) -> Recipients:
    lists: list[tuple[Address, ...]] = []
    left = RECIPIENTS
    for name in ("to", "cc", "bcc"):
        found = fields.addresses(message, name, notes)
        if len(found) > left:
            notes.add(Doubt.RECIPIENTS_CUT, name, f"more than {RECIPIENTS:,} in all")
        lists.append(tuple(found[:left]))
        left -= len(lists[-1])
    return Recipients(*lists)


def _message_id(message: Part, notes: Notes) -> str | None:
    field = fields.raw(message, "message-id", notes)
    found = message_id(field)
    if found is None:
        doubt = Doubt.MESSAGE_ID_UNREADABLE if field else Doubt.MESSAGE_ID_MISSING
        notes.add(doubt, "message-id", "no id between angle brackets")
    return found


def _references(message: Part, notes: Notes) -> tuple[str, ...]:
    found = message_ids(fields.raw(message, "references", notes))
    if len(found) > REFERENCES:
        notes.add(Doubt.REFERENCES_CUT, "references", f"more than {REFERENCES}")
    return bounded(found)


def _headers(message: Part, notes: Notes) -> dict[str, str]:
    """The first of each of ``KEPT_HEADERS`` that says something."""
    found = {name: fields.text(message, name, notes) for name in KEPT_HEADERS}
    return {name: _cut(text, HEADER_CHARS, name, notes) for name, text in found.items() if text}


def _cut(text: str, longest: int, name: str, notes: Notes) -> str:
    if len(text) > longest:
        notes.add(Doubt.HEADER_CUT, name, f"longer than {longest:,} characters")
    return text[:longest]
