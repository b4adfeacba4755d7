"""How conversations are read: a page of them by number, and what stands in their messages.

Invariant: of a conversation at most its last ``PARTICIPANTS_FROM`` messages and its first are read,
however many it has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from atom_backend.domain.messaging.conversations import (
    PARTICIPANTS,
    PARTICIPANTS_FROM,
    Conversation,
    ConversationListing,
    LastMessage,
)
from atom_backend.domain.messaging.messages import Address, MessageKind
from atom_backend.domain.messaging.subjects import base_subject
from atom_backend.relational.conversation_tables import conversations, messages

_NEVER: sa.ColumnElement[datetime] = sa.literal_column("timestamptz '-infinity'")
_LAST_AT = sa.func.nullif(conversations.c.last_at, _NEVER).label("last_at")
_COUNTED = (conversations.c.id, conversations.c.messages, conversations.c.unread, _LAST_AT)
_PART = "m.conversation_id, m.id, m.kind, m.sender, m.recipients, m.subject, m.preview, m.sent_at"
_TOLD = sa.text(f"""
    select parts.* from unnest(cast(:named as uuid[])) each (id), lateral (
        (select 0 as place, {_PART} from messages m
        where m.conversation_id = each.id and m.sent_at is not null
        order by m.sent_at nulls first, m.id limit 1)
        union all
        (select row_number() over (order by m.sent_at desc nulls last, m.id desc), {_PART}
        from messages m where m.conversation_id = each.id
        order by m.sent_at desc nulls last, m.id desc limit :most)
    ) parts order by parts.place
""")
_BODIES = sa.text("""
    select id, body from (
        select m.id, m.body, wanted.place,
            sum(coalesce(octet_length(m.body), 0)) over (order by wanted.place) as bytes
        from unnest(cast(:named as uuid[])) with ordinality wanted (id, place)
        join messages m on m.id = wanted.id
    ) counted where bytes <= :most or place = 1
""")


def one(conversation: UUID) -> sa.Select[Any]:
    """The numbers of one conversation."""
    return sa.select(*_COUNTED).where(conversations.c.id == conversation)


def listed(listing: ConversationListing) -> sa.Select[Any]:
    """The numbers of a page of them, those with the newest last message first."""
    query = sa.select(*_COUNTED).limit(listing.limit)
    query = query.order_by(conversations.c.last_at.desc(), conversations.c.id.desc())
    if listing.after is not None:
        at, conversation = listing.after
        last_at = sa.func.coalesce(sa.literal(at, sa.DateTime(timezone=True)), _NEVER)
        place = sa.tuple_(conversations.c.last_at, conversations.c.id)
        query = query.where(place < sa.tuple_(last_at, sa.literal(conversation, sa.Uuid)))
    if listing.unread is not None:
        query = query.where((conversations.c.unread > 0) == listing.unread)
    if listing.since is not None:
        query = query.where(conversations.c.last_at >= listing.since)
    if listing.kind is not None:
        inside = sa.select(messages.c.id).where(
            messages.c.conversation_id == conversations.c.id, messages.c.kind == listing.kind
        )
        query = query.where(inside.exists())
    return query


def told(named: Collection[UUID]) -> sa.TextClause:
    """Of each of these conversations the first dated message at place 0, and then the last ones,
    the last at place 1."""
    return _TOLD.bindparams(named=list(named), most=PARTICIPANTS_FROM)


def bodies_within(named: Sequence[UUID], most_bytes: int) -> sa.TextClause:
    """The bodies of the first of these messages, of as many as fit, and at least of one."""
    return _BODIES.bindparams(named=list(named), most=most_bytes)


def as_conversation(counted: Row[Any], parts: Sequence[Row[Any]]) -> Conversation:
    """A row of ``listed`` and the rows that ``told`` gave about it."""
    lasts = [part for part in parts if part.place > 0]
    first, last = parts[0], lasts[0]
    return Conversation(
        id=counted.id,
        subject=base_subject(first.subject or ""),
        messages=counted.messages,
        unread=counted.unread,
        last_at=counted.last_at,
        last=LastMessage(
            id=last.id,
            kind=MessageKind(last.kind),
            sender=None if last.sender is None else _address(last.sender),
            preview=last.preview,
            sent_at=last.sent_at,
        ),
        participants=_participants(lasts),
    )


def _participants(parts: Sequence[Row[Any]]) -> tuple[Address, ...]:
    """Those named in the messages, each once: by address where there is one, else by name."""
    found: dict[str, Address] = {}
    for part in parts:
        for given in ([part.sender] if part.sender else []) + part.recipients:
            person = _address(given)
            found.setdefault((person.address or person.name).casefold(), person)
    return tuple(found.values())[:PARTICIPANTS]


def _address(given: dict[str, str | None]) -> Address:
    return Address(given["name"] or "", given["address"] or "")
