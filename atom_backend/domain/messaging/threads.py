"""Which conversation a message belongs to, told by the message ids that it names.

Every message gives a chain: its references, oldest first, then itself. Ids that ever stood in one
chain are one conversation, whether their messages arrived or not (the idea is Jamie Zawinski's,
RFC 5256, section 3). Subjects join nothing: two people may both write "Hello".

The conversation is named after its root: the id that nobody answers to as a child; where several
claim that, or none because of a circle, the first of them in the order of ``Known``.
Invariant: conversations, their roots and their identifiers depend on the set of messages alone,
not on the order in which they came. Both marks of an id only ever change from false to true.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from atom_backend.domain.messaging.messages import MESSAGE_ID_CHARS, REFERENCES

_BRACKETED = re.compile(r"<\s*([^<>\s]+)\s*>")
_MISSING = "@no-message-id.invalid"
_FORMER = "@former-conversation.invalid"
_BARE = re.compile(r"[^<>\s@]+@[^<>\s@]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """What chains say of an id: ``head`` that it began one, ``child`` that it followed another."""

    head: bool
    child: bool

    def __or__(self, other: Marks) -> Marks:
        return Marks(self.head or other.head, self.child or other.child)


@dataclass(frozen=True, slots=True)
class Known:
    """An id as it is stored for one owner, with the conversation that it is in.

    As a root, ids are preferred in the order of ``child, not head, message_id`` (code points, in
    PostgreSQL ``COLLATE "C"``).
    """

    conversation: UUID
    marks: Marks


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a message goes, and what is to be stored with it, in one transaction.

    All of ``merged`` become ``conversation``: messages, and ids. Then every id of ``marks`` is in
    ``conversation`` with these marks. A conversation of which an older message was found is merged
    into the one that is named after that; so a stored id of a conversation may be followed to the
    present one if merges are kept.
    """

    conversation: UUID
    root: str
    merged: frozenset[UUID]
    marks: Mapping[str, Marks]


@dataclass(frozen=True, slots=True)
class Begun:
    """A conversation by its present identifier, and the message id that it is asked for by."""

    conversation: UUID
    root: str


class Threads(Protocol):
    """What is known of one owner's message ids; asking changes nothing."""

    def placed(self, ids: Sequence[str]) -> Placement:
        """The answer of ``place`` for a chain."""
        ...

    def begun(self, conversation: UUID) -> Begun | None:
        """The conversation that is, or before a merge was, called so."""
        ...


def chain(message_id: str, in_reply_to: str | None, references: Sequence[str]) -> tuple[str, ...]:
    """The ids that a message ties together, oldest first, its own last, none twice.

    ``in_reply_to`` counts only where there are no references (RFC 5256, section 3, step 1).
    """
    ancestors = references or ([in_reply_to] if in_reply_to else [])
    unique = dict.fromkeys(one for one in bounded(ancestors) if one != message_id)
    return (*unique, message_id)


def place(owner_id: UUID, ids: Sequence[str], known: Mapping[str, Known]) -> Placement:
    """The conversation of a message that gives the chain ``ids``, which is not empty.

    ``known`` must hold those of the chain's ids that are stored for the owner, and of each
    conversation that these are in, the id preferred as a root among its other ids; it may hold
    all of their ids. The same message may be placed again: that changes nothing.
    """
    marks = {
        one: Marks(head=place == 0, child=place > 0)
        | (known[one].marks if one in known else Marks(False, False))
        for place, one in enumerate(ids)
    }
    touched = {known[one].conversation for one in ids if one in known}
    candidates = {one: row.marks for one, row in known.items() if row.conversation in touched}
    root = _root({**candidates, **marks})
    conversation = conversation_id(owner_id, root)
    return Placement(conversation, root, frozenset(touched - {conversation}), marks)


def conversation_id(owner_id: UUID, root: str) -> UUID:
    """The identifier of the conversation that begins with the message ``root``: version 5."""
    return uuid.uuid5(owner_id, f"conversation:{root}")


def substitute_id(content: bytes) -> str:
    """Stands in for the id of a mail without one: the same for the same bytes.

    No real id can be equal to it (RFC 2606, section 2 reserves "invalid").
    """
    return f"{sha256(content).hexdigest()}{_MISSING}"


def own_id(item_id: UUID) -> str:
    """The same for a message that was never a mail, so that others can answer it."""
    return f"{item_id}{_MISSING}"


def former_id(conversation: UUID) -> str:
    """Ties together what comes back from an archive and was in one conversation there; as the last
    of a chain it is never the root."""
    return f"{conversation}{_FORMER}"


def bounded(ids: Sequence[str]) -> tuple[str, ...]:
    """At most ``REFERENCES``: the first, which is the root, and the last, which are the nearest."""
    if len(ids) <= REFERENCES:
        return tuple(ids)
    return (ids[0], *ids[len(ids) - REFERENCES + 1 :])


def message_ids(field: str) -> tuple[str, ...]:
    """All message ids in a field such as References, without their angle brackets.

    What is longer than ``MESSAGE_ID_CHARS`` is no id.
    """
    found: Iterable[str] = _BRACKETED.findall(field)
    return tuple(one for one in found if len(one) <= MESSAGE_ID_CHARS)


def message_id(field: str) -> str | None:
    """The id in a Message-ID field; it may lack its brackets if it looks like an id anyway."""
    bare = field.strip()
    if len(bare) <= MESSAGE_ID_CHARS and _BARE.fullmatch(bare):
        return bare
    return next(iter(message_ids(field)), None)


def replied_to(field: str) -> str | None:
    """The id in an In-Reply-To field.

    Old programs write a sentence that ends with it and names an address before ("Message from Ann
    <ann@example.org> of Monday <1@example.org>"), or put a sentence behind it.
    """
    ids = message_ids(field)
    if not ids:
        return message_id(field)
    return ids[0] if field.lstrip().startswith("<") else ids[-1]


def _root(candidates: Mapping[str, Marks]) -> str:
    return min(candidates, key=lambda one: (candidates[one].child, not candidates[one].head, one))
