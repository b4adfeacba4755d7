"""What requests about conversations say, and what they are answered.

Invariant: a message in a conversation is shown as lists of messages show it, with its body.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from atom_backend.domain.items import Kind
from atom_backend.domain.messaging.conversations import Conversation
from atom_backend.domain.messaging.messages import Address, MessageKind
from atom_backend.domain.resources.rules import Record
from atom_backend.http.bodies import JsonBody
from atom_backend.http.fields import Identifier, Integer, Moment, SortedCursor, Truth
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters
from atom_backend.http.resources.record_shapes import model_of
from atom_backend.http.resources.records import SHAPES

MOST_MARKED = 1_000
_MESSAGE = SHAPES[Kind.MESSAGE]


class ConversationQuery(Parameters):
    """Which conversations to list."""

    cursor: SortedCursor | None = None
    limit: Integer = Field(PAGE_DEFAULT, ge=1, le=PAGE_LARGEST)
    unread: Truth | None = Field(None, description="Whether it has a message that was not read.")
    kind: MessageKind | None = Field(None, description="With a message of this sort.")
    since: Moment | None = Field(None, description="With a message that was sent then or later.")


class ConversationMessagesQuery(Parameters):
    """Which messages of a conversation to show."""

    cursor: SortedCursor | None = None
    limit: Integer = Field(PAGE_DEFAULT, ge=1, le=PAGE_LARGEST)
    sort: Literal["sent_at", "-sent_at"] = Field(
        "sent_at", description="From the oldest on; with a minus from the newest."
    )


class MarkRead(JsonBody):
    """Either `ids`, or `conversation_id` and perhaps `until`."""

    ids: tuple[Identifier, ...] | None = Field(None, min_length=1, max_length=MOST_MARKED)
    conversation_id: Identifier | None = None
    until: Moment | None = Field(None, description="Those that were sent then or earlier.")


class MarkedAnswer(BaseModel):
    """How many were unread until now, and which `ids` name no message."""

    marked: int
    unknown: tuple[UUID, ...]


class PersonAnswer(BaseModel):
    """Somebody who wrote or was written to."""

    name: str | None
    address: str | None

    @classmethod
    def of(cls, person: Address) -> PersonAnswer:
        return cls(name=person.name or None, address=person.address or None)


class LastMessageAnswer(BaseModel):
    """The last message of a conversation, in short."""

    id: UUID
    kind: MessageKind
    sender: PersonAnswer | None
    preview: str
    sent_at: Moment | None


class ConversationAnswer(BaseModel):
    """A conversation.

    `subject` is that of its first message without "Re:" and the like. `participants` are those
    who wrote or were written to in the last 50 messages, at most 20. `last_at` is null where no
    message says when it was sent.
    """

    id: UUID
    subject: str
    messages: int
    unread: int
    last_at: Moment | None
    last_message: LastMessageAnswer
    participants: tuple[PersonAnswer, ...]

    @classmethod
    def of(cls, one: Conversation) -> ConversationAnswer:
        sender = None if one.last.sender is None else PersonAnswer.of(one.last.sender)
        return cls(
            id=one.id,
            subject=one.subject,
            messages=one.messages,
            unread=one.unread,
            last_at=one.last_at,
            last_message=LastMessageAnswer(
                id=one.last.id,
                kind=one.last.kind,
                sender=sender,
                preview=one.last.preview,
                sent_at=one.last.sent_at,
            ),
            participants=tuple(map(PersonAnswer.of, one.participants)),
        )


class ConversationPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[ConversationAnswer]
    next_cursor: str | None


MessageInConversation = model_of(
    "MessageInConversation",
    _MESSAGE.brief,
    {"body": (str | None, ...)},
    "A message as lists show it, with its body.",
)


def message_answer(record: Record, body: str | None) -> BaseModel:
    """How a message of a conversation is answered."""
    return MessageInConversation(**dict(_MESSAGE.show_brief(record)), body=body)


class ConversationMessages(BaseModel):
    """A conversation and a page of its messages, which ends also where their bodies become large.

    `next_cursor` is null on the last page.
    """

    conversation: ConversationAnswer
    items: list[MessageInConversation]  # type: ignore[valid-type]
    next_cursor: str | None
