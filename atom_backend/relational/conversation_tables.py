"""The tables of conversations, beside that of messages, which their resource declares.

Invariant: equal to the schema that ``migrations/`` makes; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Table,
    Text,
    Uuid,
)

from atom_backend.relational.resource_tables import TABLES
from atom_backend.relational.tables import metadata

messages = TABLES["messages"]
Index(
    "messages_in_order",
    messages.c.owner_id,
    messages.c.conversation_id,
    messages.c.sent_at.desc().nulls_last(),
    messages.c.id.desc(),
)

message_ids = Table(
    "message_ids",
    metadata,
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("message_id", Text(collation="C"), primary_key=True),
    Column("named", Uuid, nullable=False),
    Column("conversation_id", Uuid, nullable=False),
    Column("head", Boolean, nullable=False),
    Column("child", Boolean, nullable=False),
)
Index("message_ids_by_name", message_ids.c.owner_id, message_ids.c.named, unique=True)
Index(
    "message_ids_by_root",
    message_ids.c.owner_id,
    message_ids.c.conversation_id,
    message_ids.c.child,
    message_ids.c.head.desc(),
    message_ids.c.message_id,
)

conversations = Table(
    "conversations",
    metadata,
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("messages", BigInteger, nullable=False),
    Column("unread", BigInteger, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Index("conversations_by_last", "owner_id", "last_at", "id"),
)
"""``last_at`` is ``-infinity`` where no message says when it was sent."""
