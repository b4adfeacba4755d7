"""Conversations over REST: lists of them, their messages, and marking these as read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.messaging.conversations import ConversationListing
from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.errors import FieldProblem, InvalidInput
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.queries import Parameters, following
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.conversation_shapes import (
    ConversationAnswer,
    ConversationMessages,
    ConversationMessagesQuery,
    ConversationPage,
    ConversationQuery,
    MarkedAnswer,
    MarkRead,
    message_answer,
)
from atom_backend.http.resources.record_places import read_place, write_place

routes = Routes("conversations", "Messages that belong together, by their reply headers and ids.")

_ROOT = "/v1/conversations"
_LINK = {"Link": "The next page (RFC 8288)."}
_ORDER = "sent_at"
"""What a cursor of conversations is held against: the times of messages are its values, too."""


@routes.add(
    "GET", _ROOT, Answer(200, "A page.", ConversationPage, headers=_LINK), needs=Scope.RECORDS_READ
)
def list_conversations(call: Call[ConversationQuery, None]) -> Response:
    """The conversations that satisfy all conditions, those with the newest last message first."""
    query = call.query
    listing = ConversationListing(
        limit=query.limit + 1,
        unread=query.unread,
        kind=query.kind,
        since=query.since,
        after=_after(_ORDER, query.cursor),
    )
    found = call.services.conversations.listing(call.principal, listing)
    shown, cursor = found[: query.limit], None
    if len(found) > query.limit:
        last_at = shown[-1].last_at
        place = None if last_at is None else last_at.isoformat()
        cursor = cursors.after_sorted(_ORDER, place, shown[-1].id)
    page = ConversationPage(items=list(map(ConversationAnswer.of, shown)), next_cursor=cursor)
    return _paged(page, f"{call.root}{_ROOT}", query, cursor)


@routes.add(
    "GET",
    f"{_ROOT}/{{conversation_id}}",
    Answer(200, "The conversation.", ConversationMessages, headers=_LINK),
    needs=Scope.RECORDS_READ,
)
def read_conversation(
    call: Call[ConversationMessagesQuery, None], conversation_id: UUID
) -> Response:
    """A conversation with its messages in their order, a page at a time.

    A page ends also before the bodies on it exceed a million bytes. A conversation that became
    part of another one, because a message turned up that belongs to both, is answered by that.
    """
    query = call.query
    page = call.services.conversations.page(
        call.principal,
        conversation_id,
        limit=query.limit,
        descending=query.sort.startswith("-"),
        after=_after(query.sort, query.cursor),
    )
    cursor = write_place(query.sort, page.messages[-1][0]) if page.more else None
    answer = ConversationMessages(
        conversation=ConversationAnswer.of(page.conversation),
        items=[message_answer(record, body) for record, body in page.messages],
        next_cursor=cursor,
    )
    return _paged(answer, f"{call.root}{_ROOT}/{conversation_id}", query, cursor)


@routes.add(
    "POST",
    "/v1/messages/mark-read",
    Answer(200, "How many they were.", MarkedAnswer),
    needs=Scope.RECORDS_WRITE,
)
def mark_messages_read(call: Call[None, MarkRead]) -> Response:
    """Mark messages as read, by their `ids` or all of a conversation, perhaps `until` a time.

    Sent again it changes nothing: what was read keeps its `read_at`.
    """
    body, conversations = call.body, call.services.conversations
    if (body.ids is None) == (body.conversation_id is None):
        raise _unclear("ids", "Give either ids or conversation_id.")
    if body.ids is not None:
        if body.until is not None:
            raise _unclear("until", "This goes with a conversation_id only.")
        marked = conversations.mark_read(call.principal, body.ids)
    else:
        assert body.conversation_id is not None
        marked = conversations.mark_all_read(call.principal, body.conversation_id, body.until)
    return json_reply(MarkedAnswer(marked=marked.count, unknown=marked.unknown))


def _after(sort: str, cursor: str | None) -> tuple[datetime | None, UUID] | None:
    return None if cursor is None else read_place(MESSAGES, sort, cursor)


def _paged(page: BaseModel, address: str, query: Parameters, cursor: str | None) -> Response:
    reply = json_reply(page)
    if cursor:
        reply.headers["Link"] = f'<{address}?{following(query, cursor)}>; rel="next"'
    return reply


def _unclear(name: str, detail: str) -> InvalidInput:
    return InvalidInput(problems=[FieldProblem(f"/{name}", detail)])
