"""Conversations: reading them, and marking their messages as read.

Invariant: marking waits for other writes of the owner's messages, so that two of them cannot wait
for each other; what was read already stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atom_backend.clock import Clock, SystemClock
from atom_backend.domain.messaging.conversations import (
    Conversation,
    ConversationListing,
    Conversations,
    Marked,
)
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.listing import Condition, Listing, Match
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.rules import Record, refused

PAGE_BYTES = 1_000_000
"""Of the bodies on one page of messages, unless the first alone is larger."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A conversation and some of its messages, each with its body; ``more`` follow or not."""

    conversation: Conversation
    messages: tuple[tuple[Record, str | None], ...]
    more: bool


class ConversationService:
    """The use cases around one owner's conversations."""

    def __init__(self, transactions: Transactions, *, clock: Clock | None = None) -> None:
        self._transactions = transactions
        self._clock = clock or SystemClock()

    def listing(self, principal: Principal, listing: ConversationListing) -> list[Conversation]:
        with self._transactions.owner(principal) as work:
            return work.conversations.listing(listing)

    def page(
        self,
        principal: Principal,
        conversation_id: UUID,
        *,
        limit: int,
        descending: bool,
        after: tuple[datetime | None, UUID] | None,
    ) -> ConversationPage:
        """At most ``limit`` messages by the time of their sending. Raises NotFound."""
        with self._transactions.owner(principal) as work:
            conversation = work.conversations.get(conversation_id)
            inside = Condition("conversation_id", Match.EQUAL, conversation.id)
            listing = Listing(limit + 1, (inside,), "sent_at", descending, after)
            found = work.records(MESSAGES).listing(listing)
            bodies = work.conversations.bodies([one.id for one in found[:limit]], PAGE_BYTES)
        shown = tuple((one, bodies[one.id]) for one in found if one.id in bodies)
        return ConversationPage(conversation, shown, len(found) > len(shown))

    def mark_read(self, principal: Principal, message_ids: Collection[UUID]) -> Marked:
        with self._transactions.owner(principal) as work:
            return _alone(work).mark_read(message_ids, self._clock.now())

    def mark_all_read(
        self, principal: Principal, conversation_id: UUID, until: datetime | None
    ) -> Marked:
        """Raises InvalidInput for a conversation that there is not."""
        with self._transactions.owner(principal) as work:
            conversations = _alone(work)
            found = conversations.begun(conversation_id)
            if found is None:
                raise refused("conversation_id", "There is no conversation with this identifier.")
            return conversations.mark_all_read(found.conversation, until, self._clock.now())


def _alone(work: OwnerWork) -> Conversations:
    work.records(MESSAGES).alone()
    return work.conversations
