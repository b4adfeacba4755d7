"""One owner's conversations: which message belongs to which, and what is read of them.

Invariant: as in ``records``: row-level security decides whose rows are seen. What writes here holds
the lock of the owner's messages, which ``PostgresRecords.alone`` takes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection

from atom_backend.domain.messaging.conversations import (
    Conversation,
    ConversationListing,
    Marked,
)
from atom_backend.domain.messaging.threads import (
    Begun,
    Known,
    Marks,
    Placement,
    conversation_id,
    place,
)
from atom_backend.errors import NotFound
from atom_backend.relational.conversation_queries import (
    as_conversation,
    bodies_within,
    listed,
    one,
    told,
)
from atom_backend.relational.conversation_tables import message_ids, messages
from atom_backend.relational.tables import items

_UNREAD = sa.and_(messages.c.read_at.is_(None), messages.c.direction != "out")


class PostgresConversations:
    """The conversations of the transaction's owner."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def placed(self, ids: Sequence[str]) -> Placement:
        return place(self._owner_id, ids, self._known(ids))

    def begun(self, conversation: UUID) -> Begun | None:
        row = self._connection.execute(
            sa.select(message_ids.c.conversation_id, message_ids.c.message_id).where(
                message_ids.c.named == conversation
            )
        ).one_or_none()
        return None if row is None else Begun(row.conversation_id, row.message_id)

    def keep(self, placement: Placement) -> None:
        if placement.merged:
            self._merge(list(placement.merged), placement.conversation)
        added = insert(message_ids).values(
            [
                {
                    "owner_id": self._owner_id,
                    "message_id": message_id,
                    "named": conversation_id(self._owner_id, message_id),
                    "conversation_id": placement.conversation,
                    "head": marks.head,
                    "child": marks.child,
                }
                for message_id, marks in placement.marks.items()
            ]
        )
        self._connection.execute(
            added.on_conflict_do_update(
                index_elements=[message_ids.c.owner_id, message_ids.c.message_id],
                set_={name: added.excluded[name] for name in ("conversation_id", "head", "child")},
            )
        )

    def listing(self, listing: ConversationListing) -> list[Conversation]:
        return self._told(listed(listing))

    def get(self, conversation: UUID) -> Conversation:
        begun = self.begun(conversation)
        found = [] if begun is None else self._told(one(begun.conversation))
        if not found:
            raise NotFound("There is no conversation with this identifier.")
        return found[0]

    def bodies(self, message_ids: Sequence[UUID], most_bytes: int) -> Mapping[UUID, str | None]:
        rows = self._connection.execute(bodies_within(message_ids, most_bytes))
        return {row.id: row.body for row in rows}

    def mark_read(self, message_ids: Collection[UUID], now: datetime) -> Marked:
        among = messages.c.id == _any(message_ids)
        known = set(self._connection.scalars(sa.select(messages.c.id).where(among)))
        unknown = tuple(one for one in message_ids if one not in known)
        return Marked(self._mark(among, now), unknown)

    def mark_all_read(self, conversation: UUID, until: datetime | None, now: datetime) -> Marked:
        chosen = messages.c.conversation_id == conversation
        if until is not None:
            chosen = sa.and_(chosen, messages.c.sent_at <= until)
        return Marked(self._mark(chosen, now))

    def _known(self, ids: Sequence[str]) -> dict[str, Known]:
        named = sa.literal(list(ids), ARRAY(sa.Text))
        chained = sa.select(message_ids).where(message_ids.c.message_id == sa.any_(named))
        rows = self._connection.execute(chained).all()
        found = {row.conversation_id for row in rows}
        if found:
            rows = [*rows, *self._connection.execute(_roots(found, named))]
        return {
            row.message_id: Known(row.conversation_id, Marks(row.head, row.child)) for row in rows
        }

    def _merge(self, merged: Sequence[UUID], into: UUID) -> None:
        # The ids first: those of a conversation without messages are removed.
        self._connection.execute(
            sa.update(message_ids)
            .where(message_ids.c.conversation_id == _any(merged))
            .values(conversation_id=into)
        )
        moved = self._connection.scalars(
            sa.update(messages)
            .where(messages.c.conversation_id == _any(merged))
            .values(conversation_id=into)
            .returning(messages.c.id)
        ).all()
        self._revise(moved)

    def _mark(self, chosen: sa.ColumnElement[bool], now: datetime) -> int:
        marked = self._connection.scalars(
            sa.update(messages).where(chosen, _UNREAD).values(read_at=now).returning(messages.c.id)
        ).all()
        self._revise(marked)
        return len(marked)

    def _revise(self, written: Sequence[UUID]) -> None:
        """What a record says has changed, and so must its entity tag."""
        if written:
            self._connection.execute(
                sa.update(items)
                .where(items.c.id == _any(written))
                .values(revision=items.c.revision + 1, updated_at=sa.func.now())
            )

    def _told(self, query: sa.Select[Any]) -> list[Conversation]:
        counted = self._connection.execute(query).all()
        if not counted:
            return []
        parts = self._connection.execute(told([row.id for row in counted])).all()
        return [
            as_conversation(row, [part for part in parts if part.conversation_id == row.id])
            for row in counted
        ]


def _any(named: Collection[UUID]) -> sa.ColumnElement[Any]:
    return sa.any_(sa.literal(list(named), ARRAY(sa.Uuid)))


def _roots(conversations: Collection[UUID], chained: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Of each conversation the id preferred as its root (``threads.Known``), of those that are not
    in the chain; read from the index, however many there are."""
    each = sa.select(
        sa.func.unnest(sa.literal(list(conversations), ARRAY(sa.Uuid))).label("id")
    ).subquery("each")
    best = (
        sa.select(message_ids)
        .where(
            message_ids.c.conversation_id == each.c.id,
            message_ids.c.message_id != sa.all_(chained),
        )
        .order_by(message_ids.c.child, message_ids.c.head.desc(), message_ids.c.message_id)
        .limit(1)
        .lateral("best")
    )
    return sa.select(best).select_from(each.join(best, sa.true()))
