"""Conversations come out the same in whatever order their messages come, also at the same time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.messaging.conversations import ConversationListing, Marked
from atom_backend.domain.messaging.messages import MessageKind
from atom_backend.domain.messaging.threads import conversation_id
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.listing import NOW
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import InvalidInput, NotFound
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.records import RecordService
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

SENT = datetime(2030, 1, 1, tzinfo=UTC)
# Ids and what they answer: a long thread, one that joins two, a lost parent, a circle, one alone.
MAILS: dict[str, tuple[str, ...]] = {
    **{f"a{n}": tuple(f"a{m}" for m in range(n)) for n in range(5)},
    "b1": ("b0",),
    "c1": ("c0",),
    "bc": ("b1", "c1"),
    "d1": ("lost",),
    "d2": ("lost",),
    "d3": ("d2",),
    "x": ("y",),
    "y": ("x",),
    "alone": (),
    # In the end the first root answers something, and one that the last does not name is left.
    "g1": ("g0",),
    "g2": ("h0", "g1"),
    "g0": ("g1",),
}
ROOTS = {
    "a": "a0",
    "b": "b0",
    "c": "b0",
    "d": "lost",
    "g": "h0",
    "x": "x",
    "y": "x",
    "alone": "alone",
}


@pytest.fixture
def service(transactions: PostgresTransactions) -> RecordService:
    return RecordService(transactions)


def send(
    service: RecordService, owner: Principal, message_id: str | None = None, **fields: Any
) -> Record:
    given = {
        "kind": "email",
        "message_id": message_id,
        "body": "Hello",
        "direction": "in",
        "references": MAILS.get(message_id or "", ()),
    }
    made = service.create(owner, MESSAGES, given | fields)
    assert isinstance(made, Record)
    return made


def placed(sql: RunSql, owner: Principal) -> dict[str, UUID]:
    rows = sql(
        "select message_id, conversation_id from messages where owner_id = :id", id=owner.user_id
    )
    return dict(rows)


def expected(owner: Principal, ids: Sequence[str]) -> dict[str, UUID]:
    return {one: conversation_id(owner.user_id, ROOTS.get(one) or ROOTS[one[0]]) for one in ids}


COUNTED = """
    select conversation_id, count(*),
        count(*) filter (where read_at is null and direction <> 'out'),
        coalesce(max(sent_at), '-infinity')::text
    from messages group by 1 order by 1
"""
KEPT = "select id, messages, unread, last_at::text from conversations order by 1"


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_order_of_arrival_does_not_matter(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql, seed: int | None
) -> None:
    owner, ids = a_user(transactions), list(MAILS)
    if seed is not None:
        random.Random(seed).shuffle(ids)
    for message_id in ids:
        send(service, owner, message_id)
    assert placed(sql, owner) == expected(owner, ids)
    assert sql(KEPT) == sql(COUNTED)


def test_messages_that_come_at_the_same_time_end_in_one_conversation(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql
) -> None:
    owner, ids = a_user(transactions), [f"a{n}" for n in (4, 0, 3, 1, 2)]
    chain = {one: MAILS[one][-1:] for one in ids}
    together(lambda n: send(service, owner, ids[n], references=chain[ids[n]]), len(ids))
    assert placed(sql, owner) == expected(owner, ids)
    assert sql(KEPT) == sql(COUNTED)


def test_a_merge_moves_messages_and_gives_them_a_new_revision(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql
) -> None:
    owner = a_user(transactions)
    early, late = send(service, owner, "b1"), send(service, owner, "c1")
    joining = send(service, owner, "bc")
    moved = service.get(owner, MESSAGES, late.id)
    assert moved.values["conversation_id"] == joining.values["conversation_id"]
    assert (moved.revision, moved.content_revision) == (2, 1)
    assert service.get(owner, MESSAGES, early.id).revision == 1
    with transactions.owner(owner) as work:
        present = work.conversations.get(early.values["conversation_id"])
        assert present.messages == 3
        assert work.conversations.get(late.values["conversation_id"]) == present


def test_the_numbers_are_those_of_the_messages_after_every_write(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql
) -> None:
    owner, dice = a_user(transactions), random.Random(7)
    made: list[UUID] = []
    for step in range(60):
        deed = dice.choice(("send", "send", "read", "unread", "date", "turn", "remove", "all"))
        some = dice.choice(made) if made else None
        if some is None or deed == "send":
            known = dice.choice(list(MAILS))
            sent_at = dice.choice((None, SENT + timedelta(hours=dice.randrange(99))))
            made.append(send(service, owner, known, sent_at=sent_at).id)
        elif deed == "remove":
            service.remove(owner, MESSAGES, some)
            made.remove(some)
        elif deed == "all":
            conversation = service.get(owner, MESSAGES, some).values["conversation_id"]
            with transactions.owner(owner) as work:
                work.conversations.mark_all_read(conversation, SENT + timedelta(hours=50), SENT)
        else:
            patches: dict[str, Any] = {
                "read": {"read_at": NOW},
                "unread": {"read_at": None},
                "date": {"sent_at": SENT + timedelta(hours=dice.randrange(99))},
                "turn": {"direction": dice.choice(("in", "out"))},
            }
            service.change(owner, MESSAGES, some, patches[deed])
        assert sql(KEPT) == sql(COUNTED), (step, deed)
    for item_id in made:
        service.remove(owner, MESSAGES, item_id)
    assert sql("select from conversations") == sql("select from message_ids") == []


def test_an_account_that_goes_takes_its_conversations_along(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql
) -> None:
    owner, other = a_user(transactions), a_user(transactions)
    for one in (owner, other):
        send(service, one, "a0")
    with transactions.owner(owner) as work:
        work.account.remove()
    for table in ("messages", "message_ids", "conversations"):
        assert sql(f"select owner_id from {table}") == [(other.user_id,)]


def test_a_chat_goes_on_in_the_conversation_that_it_names(
    transactions: PostgresTransactions, service: RecordService
) -> None:
    owner = a_user(transactions)
    first = send(service, owner, kind="chat")
    conversation = first.values["conversation_id"]
    for _ in range(2):
        further = send(service, owner, kind="chat", conversation_id=conversation)
        assert further.values["conversation_id"] == conversation
    answer = send(service, owner, kind="chat", in_reply_to=first.values["message_id"])
    assert answer.values["conversation_id"] == conversation
    older = send(service, owner, "a1", references=("a0",), conversation_id=conversation)
    with transactions.owner(owner) as work:
        assert work.conversations.get(conversation).messages == 5
        assert work.conversations.get(older.values["conversation_id"]).messages == 5


def test_no_conversation_of_another_owner_is_found_or_named(
    transactions: PostgresTransactions, service: RecordService
) -> None:
    owner, stranger = a_user(transactions), a_user(transactions)
    foreign = send(service, owner, "a0").values["conversation_id"]
    send(service, stranger, "a0")
    for unknown in (foreign, new_id()):
        with pytest.raises(InvalidInput) as refusal:
            send(service, stranger, kind="chat", conversation_id=unknown)
        assert [one.pointer for one in refusal.value.problems] == ["/conversation_id"]
        with transactions.owner(stranger) as work:
            with pytest.raises(NotFound):
                work.conversations.get(unknown)
            assert work.conversations.mark_all_read(unknown, None, SENT) == Marked(0)


def test_a_message_keeps_its_conversation_but_what_it_answers_can_be_learned(
    transactions: PostgresTransactions, service: RecordService, sql: RunSql
) -> None:
    owner = a_user(transactions)
    root, lost = send(service, owner, "a0"), send(service, owner, "a1", references=())
    other = root.values["conversation_id"]
    with pytest.raises(InvalidInput):
        service.change(owner, MESSAGES, lost.id, {"conversation_id": other})
    patch = {"in_reply_to": "<a0>", "conversation_id": lost.values["conversation_id"]}
    answered = service.change(owner, MESSAGES, lost.id, patch)
    assert (answered.values["conversation_id"], answered.values["in_reply_to"]) == (other, "a0")
    assert sql(KEPT) == sql(COUNTED)


def test_conversations_are_listed_by_their_last_message_a_page_at_a_time(
    transactions: PostgresTransactions, service: RecordService
) -> None:
    owner = a_user(transactions)
    hours = {"a0": 1, "a1": 9, "b1": 5, "c1": 5, "d1": None, "alone": 3}
    for message_id, hour in hours.items():
        sent_at = None if hour is None else SENT + timedelta(hours=hour)
        kind = "notification" if message_id == "alone" else "email"
        send(service, owner, message_id, sent_at=sent_at, kind=kind, subject=f"Re: {message_id}")
    seen: list[str] = []
    listing = ConversationListing(limit=2)
    with transactions.owner(owner) as work:
        while page := work.conversations.listing(listing):
            seen += [one.subject for one in page]
            last = page[-1]
            listing = ConversationListing(limit=2, after=(last.last_at, last.id))
        assert (seen[0], set(seen[1:3]), seen[3:]) == ("a0", {"b1", "c1"}, ["alone", "d1"])
        late = work.conversations.listing(
            ConversationListing(limit=9, since=SENT + timedelta(hours=9))
        )
        assert [one.subject for one in late] == ["a0"]
        told = work.conversations.listing(
            ConversationListing(limit=9, kind=MessageKind.NOTIFICATION)
        )
        assert [one.subject for one in told] == ["alone"]
        work.conversations.mark_all_read(told[0].id, None, SENT)
        for unread, count in ((True, 4), (False, 1)):
            found = work.conversations.listing(ConversationListing(limit=9, unread=unread))
            assert len(found) == count
