"""Messages: mails, lines of chats and notifications, in their conversations.

Invariants: every message has an id that others can answer, and is in the conversation that these
ids make; once read, it keeps the moment of its first reading.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.messaging import threads
from atom_backend.domain.messaging.messages import (
    BODY_CHARS,
    MESSAGE_ID_CHARS,
    REFERENCES,
    SUBJECT_CHARS,
    Direction,
    MessageKind,
)
from atom_backend.domain.resources.fields import Choice, Field, Json, Many, Moment, Reference, Text
from atom_backend.domain.resources.listing import NOW, Condition, Filter, Flag, Match
from atom_backend.domain.resources.message_parts import (
    ADDRESS,
    ATTACHMENTS_FIELD,
    DOUBTS_FIELD,
    RECIPIENTS_FIELD,
)
from atom_backend.domain.resources.resource import Action, Resource, Said
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused

PREVIEW_CHARS = 200


class MessageRules(Rules):
    """Ids, conversations, and what is told from the other fields."""

    serial = True
    threaded = True

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        old = {} if before is None else before.values
        body, sender = values["body"] or "", values["sender"] or {}
        sent_at, read_at = values["sent_at"], values["read_at"]
        if sent_at is None and values["kind"] != MessageKind.EMAIL:
            # A chat is written where it is read; when a mail was sent, only the mail can say.
            sent_at = old.get("sent_at") or now
        if read_at is NOW:
            read_at = old.get("read_at") or now
        message_id = _bare("message_id", values["message_id"]) or old.get("message_id")
        told = {
            "sent_at": sent_at,
            "read_at": read_at,
            "message_id": message_id or threads.own_id(item_id),
            "in_reply_to": _bare("in_reply_to", values["in_reply_to"]),
            "references": tuple(_bare("references", one) for one in values["references"]),
            "sender_address": (sender.get("address") or "").casefold() or None,
            "preview": " ".join(body[: 10 * PREVIEW_CHARS].split())[:PREVIEW_CHARS],
        }
        return _in_conversation({**values, **told}, before, others.threads)

    def restored(self, values: Values, others: Others, item_id: UUID, now: datetime) -> Settled:
        return self.settled({**values, "conversation_id": None}, None, others, item_id, now)

    def placed(self, values: Values, others: Others, item_id: UUID) -> threads.Placement:
        """By its own ids, and with all others that came out of the same conversation: what had
        tied them together may have been a word of the owner, or a message that is gone."""
        bare = {name: _bare(name, values[name]) for name in ("message_id", "in_reply_to")}
        bare["message_id"] = bare["message_id"] or threads.own_id(item_id)
        ids, former = _chain({**values, **bare}), values["conversation_id"]
        return others.threads.placed(ids if former is None else (*ids, threads.former_id(former)))


def _in_conversation(
    values: dict[str, Any], before: Record | None, known: threads.Threads
) -> Settled:
    ids, wanted = _chain(values), values["conversation_id"]
    found = None if wanted is None else known.begun(wanted)
    if before is not None:
        present = before.values["conversation_id"]
        if wanted is not None and (found is None or found.conversation != present):
            raise refused("conversation_id", "A message stays in its conversation.")
        if ids == _chain(before.values):
            return Settled({**values, "conversation_id": present})
    elif wanted is not None:
        if found is None:
            raise refused("conversation_id", "There is no conversation with this identifier.")
        if found.root not in ids:
            ids = (found.root, *ids)
    placement = known.placed(ids)
    return Settled({**values, "conversation_id": placement.conversation}, placement=placement)


def _chain(values: Values) -> tuple[str, ...]:
    return threads.chain(values["message_id"], values["in_reply_to"], values["references"])


def _bare(name: str, given: str | None) -> str | None:
    """A message id without the angle brackets that stand around it in a mail."""
    if given is None:
        return None
    bare = given.strip()
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1].strip()
    if not bare:
        raise refused(name, "There is no message id between the brackets.")
    return bare


def _says(values: Values) -> Said:
    """The subject, or what else comes first in the message, and the body."""
    body = (values["body"] or "").strip()
    names = ", ".join(one["name"] for one in values["attachments"] if one["name"])
    title = values["subject"] or body.partition("\n")[0].strip() or names or "Without words"
    return Said(title[:SUBJECT_CHARS], values["body"] or title, values["sent_at"])


_MESSAGE_ID = Text(MESSAGE_ID_CHARS)

MESSAGES = Resource(
    name="messages",
    one=Kind.MESSAGE,
    about="Mails, lines of chats, notifications.",
    own=(
        Field(
            "kind",
            Choice(tuple(map(str, MessageKind))),
            "What sort of message it is.",
            required=True,
        ),
        Field(
            "conversation_id",
            Reference(),
            "The conversation that it is in. It follows from `in_reply_to` and `references`; where"
            " there are none, as in most chats, name the conversation when you store the message.",
        ),
        Field("sender", ADDRESS, "Who wrote it."),
        RECIPIENTS_FIELD,
        Field("subject", Text(SUBJECT_CHARS), "What it is about."),
        Field("body", Text(BODY_CHARS), "What it says, as text. Lists leave it out.", long=True),
        Field("preview", Text(PREVIEW_CHARS), "How the body begins.", default="", given=False),
        Field("sent_at", Moment(), "When it was sent; of what is no mail at least when it came."),
        Field("read_at", Moment(), "When the owner read it."),
        Field(
            "direction",
            Choice(tuple(map(str, Direction))),
            "Whether it came to the owner or is the owner's own.",
            default=Direction.UNKNOWN.value,
        ),
        Field(
            "message_id",
            _MESSAGE_ID,
            "The Message-ID of a mail, or any id of yours, without angle brackets. One is made"
            " where none is given, so that others can answer it.",
        ),
        Field("in_reply_to", _MESSAGE_ID, "The `message_id` of the message that it answers."),
        Field(
            "references",
            Many(_MESSAGE_ID, REFERENCES),
            "The `message_id` of all that came before it in its conversation, oldest first.",
            default=(),
        ),
        Field("headers", Json(), "Further header fields, by their names.", default={}, long=True),
        ATTACHMENTS_FIELD,
        DOUBTS_FIELD,
        Field("sender_address", Text(320), "By which lists choose: in lower case.", given=False),
    ),
    says=_says,
    filters=(
        Filter("conversation_id", "conversation_id", Match.EQUAL, "In this conversation."),
        Filter("kind", "kind", Match.EQUAL, "Of this sort."),
        Filter("direction", "direction", Match.EQUAL, "In this direction."),
        Filter("sender", "sender_address", Match.EQUAL, "From this address."),
        Filter("message_id", "message_id", Match.EQUAL, "With this message id."),
        Filter("sent_after", "sent_at", Match.FROM, "Sent then or later."),
        Filter("sent_before", "sent_at", Match.UNTIL, "Sent earlier."),
        Filter("text", "text", Match.WORDS, "All of these words are in subject or body."),
    ),
    flags=(
        Flag(
            "unread",
            "Whether it came to the owner and was not read.",
            (
                Condition("read_at", Match.EMPTY),
                Condition("direction", Match.NONE_OF, (Direction.OUT.value,)),
            ),
        ),
    ),
    sorts=("sent_at",),
    actions=(
        Action(
            "mark-read", "Mark it as read; the moment of its first reading stays.", {"read_at": NOW}
        ),
        Action("mark-unread", "Mark it as not read.", {"read_at": None}),
    ),
    rules=MessageRules(),
)
