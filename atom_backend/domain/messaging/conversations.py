"""Conversations as they are read: which messages belong together, how many, and the last of them.

Invariant: a conversation is there exactly as long as it has a message, and its numbers are those of
its messages at that moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.messaging.messages import Address, MessageKind
from atom_backend.domain.messaging.threads import Placement, Threads

PARTICIPANTS = 20
"""Of a conversation, how many are named."""
PARTICIPANTS_FROM = 50
"""The last messages of a conversation, out of which its participants are told."""


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The last of a conversation; ``preview`` is the beginning of its body in one line."""

    id: UUID
    kind: MessageKind
    sender: Address | None
    preview: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """``subject`` is that of its first message, without the marks of replies; perhaps empty.

    ``unread`` counts the messages that came to the owner and were not read. ``last_at`` is when
    the last one was sent, None where no message says that. ``participants`` are those who wrote
    or were written to, the most recent first, and not more than ``PARTICIPANTS``.
    """

    id: UUID
    subject: str
    messages: int
    unread: int
    last_at: datetime | None
    last: LastMessage
    participants: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """How many messages were unread and are not any more, and which of those named there are
    not."""

    count: int
    unknown: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationListing:
    """Which conversations to list, those with the newest last message first.

    ``after``: ``last_at`` and identifier of the last one of the page before. ``since`` includes
    its moment; ``kind``: with at least one such message.
    """

    limit: int
    unread: bool | None = None
    kind: MessageKind | None = None
    since: datetime | None = None
    after: tuple[datetime | None, UUID] | None = None


class Conversations(Threads, Protocol):
    """One owner's conversations."""

    def keep(self, placement: Placement) -> None:
        """Store what a placement says; moved messages get a new revision."""
        ...

    def listing(self, listing: ConversationListing) -> list[Conversation]: ...

    def get(self, conversation: UUID) -> Conversation:
        """Also by an identifier that it had before a merge. Raises NotFound."""
        ...

    def bodies(self, message_ids: Sequence[UUID], most_bytes: int) -> Mapping[UUID, str | None]:
        """The bodies of the first of these messages, of as many as fit, and at least of one."""
        ...

    def mark_read(self, message_ids: Collection[UUID], now: datetime) -> Marked: ...

    def mark_all_read(self, conversation: UUID, until: datetime | None, now: datetime) -> Marked:
        """Those of a conversation that were sent then or earlier, or all."""
        ...
