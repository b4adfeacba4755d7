"""Lists of conversations read what they show, out of their owner's rows and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from atom_backend.domain.messaging.conversations import ConversationListing
from atom_backend.domain.messaging.messages import MessageKind
from atom_backend.domain.principals import Principal
from atom_backend.relational.conversations import PostgresConversations
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.making import a_user

OWNERS, CONVERSATIONS, EACH, PAGE = 10, 100, 4, 10


@pytest.fixture
def owner(transactions: PostgresTransactions, sql: RunSql) -> Principal:
    """One of some owners who have a hundred conversations of four messages each."""
    owners = [a_user(transactions) for _ in range(OWNERS)]
    sql(
        """
        with made as (
            insert into items (id, owner_id, kind, content_hash, title, text, source)
            select gen_random_uuid(), owner, 'message', sha256('x'), 'x', 'x', n
            from generate_series(0, :messages - 1) n, unnest(cast(:owners as uuid[])) owner
            returning id, owner_id, source::int as n
        )
        insert into messages (id, owner_id, kind, conversation_id, recipients, preview, direction,
            message_id, "references", headers, attachments, doubts, sent_at)
        select id, owner_id, case when n % 100 = 0 then 'chat' else 'email' end,
            md5(owner_id::text || n % :conversations)::uuid, '[]', '', 'in', n, '[]', '{}', '[]',
            '[]', timestamptz '2030-01-01 00:00Z' + n * interval '1 minute'
        from made
        """,
        owners=[owner.user_id for owner in owners],
        messages=CONVERSATIONS * EACH,
        conversations=CONVERSATIONS,
    )
    for table in ("items", "messages", "conversations"):
        sql(f"vacuum analyze {table}")
    return owners[3]


@pytest.fixture
def connection(owner: Principal, database_url: str) -> Iterator[sa.Connection]:
    """A transaction of that owner."""
    engine = create_engine(database_url, max_connections=0)
    with engine.connect() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(owner.user_id)},
        )
        yield connection


@pytest.mark.parametrize(
    ("listing", "shown", "most"),
    [
        (ConversationListing(limit=PAGE), PAGE, PAGE * (1 + EACH + 1)),
        (ConversationListing(limit=PAGE, unread=True), PAGE, PAGE * (1 + EACH + 1)),
        (ConversationListing(limit=PAGE, unread=False), 0, CONVERSATIONS),
        (
            ConversationListing(limit=PAGE, kind=MessageKind.CHAT),
            1,
            CONVERSATIONS * (1 + EACH) + EACH + 1,
        ),
    ],
)
def test_a_list_of_conversations_reads_few_rows_and_none_of_another_owner(
    connection: sa.Connection,
    owner: Principal,
    listing: ConversationListing,
    shown: int,
    most: int,
) -> None:
    conversations = PostgresConversations(connection, owner.user_id)
    found = conversations.listing(listing)
    assert [one.messages for one in found] == [EACH] * shown
    read = connection.scalar(
        sa.text("""
            select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
            from pg_stat_xact_user_tables where relname in ('messages', 'conversations')
        """)
    )
    assert shown <= (read or 0) <= most
