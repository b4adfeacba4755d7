"""Lists read what they show, out of their owner's rows and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.listing import Condition, Listing, Match
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.relational.engine import create_engine
from atom_backend.relational.record_queries import listed
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.making import a_user

READ = """
    select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
    from pg_stat_xact_user_tables where relname in ('items', 'tasks')
"""
OWNERS, EACH, PAGE = 20, 300, 20
SOON = datetime(2030, 1, 1, 0, 10, tzinfo=UTC)


@pytest.fixture
def crowd(transactions: PostgresTransactions, sql: RunSql) -> list[Principal]:
    """Owners with some hundred tasks each, due a minute apart; one in a hundred is blocked.

    Among them, in time, are as many memories.
    """
    owners = [a_user(transactions) for _ in range(OWNERS)]
    sql(
        """
        with made as (
        insert into items (id, owner_id, kind, content_hash, title, text, source)
        select gen_random_uuid(), owner, 'task', sha256('x'), 'task ' || n, 'common', n
        from generate_series(1, :each) n, unnest(cast(:owners as uuid[])) owner
        returning id, owner_id, source::int as n
        )
        insert into tasks (id, owner_id, status, priority, position, due_at, time_zone)
        select id, owner_id, case when n % 100 = 0 then 'blocked' else 'todo' end, 0, 0,
            timestamptz '2030-01-01 00:00Z' + n * interval '1 minute', 'UTC'
        from made
        """,
        owners=[owner.user_id for owner in owners],
        each=EACH,
    )
    sql(
        """
        with made as (
        insert into items (id, owner_id, kind, content_hash, title, text)
        select gen_random_uuid(), owner, 'memory', sha256('x'), 'memory ' || n, 'common'
        from generate_series(1, :each) n, unnest(cast(:owners as uuid[])) owner
        returning id, owner_id
        )
        insert into memories (id, owner_id) select id, owner_id from made
        """,
        owners=[owner.user_id for owner in owners],
        each=EACH,
    )
    sql("vacuum analyze items")
    sql("vacuum analyze tasks")
    return owners


@pytest.fixture
def connection(crowd: list[Principal], database_url: str) -> Iterator[sa.Connection]:
    """A transaction of one of the owners."""
    engine = create_engine(database_url, max_connections=0)
    with engine.connect() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(crowd[7].user_id)},
        )
        yield connection


@pytest.mark.parametrize(
    ("listing", "shown", "most"),
    [
        (Listing(limit=PAGE), PAGE, 2 * PAGE),
        (Listing(limit=PAGE, descending=False), PAGE, 2 * PAGE),
        (Listing(PAGE, (Condition("status", Match.EQUAL, "blocked"),)), 3, 2 * 3),
        (Listing(PAGE, (Condition("due_at", Match.UNTIL, SOON),)), 9, 2 * 9),
        (Listing(PAGE, (Condition("title", Match.WORDS, "7"),)), 1, EACH + 1),
        (Listing(PAGE, sort="due_at"), PAGE, 2 * EACH),
    ],
)
def test_a_list_reads_few_rows_and_none_of_another_owner(
    connection: sa.Connection, listing: Listing, shown: int, most: int
) -> None:
    assert len(connection.execute(listed(TASKS, listing)).all()) == shown
    read = connection.scalar(sa.text(READ))
    assert shown <= (read or 0) <= most


def test_a_list_passes_over_nobody_elses_rows_where_few_owners_have_all(
    transactions: PostgresTransactions, sql: RunSql, database_url: str
) -> None:
    """The primary key would lead there, too: every third row of it is the owner's."""
    owners = [a_user(transactions).user_id for _ in range(3)]
    sql(
        """
        with made as (
        insert into items (id, owner_id, kind, content_hash, title, text)
        select cast(lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000' as uuid),
            (cast(:owners as uuid[]))[1 + n % 3], 'task', sha256('x'), 'task', 'common'
        from generate_series(1, 9000) n
        returning id, owner_id
        )
        insert into tasks (id, owner_id, status, priority, position, time_zone)
        select id, owner_id, 'todo', 0, 0, 'UTC' from made
        """,
        owners=owners,
    )
    sql("vacuum analyze items")
    sql("vacuum analyze tasks")
    engine = create_engine(database_url, max_connections=0)
    with engine.connect() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(owners[0])},
        )
        assert len(connection.execute(listed(TASKS, Listing(PAGE))).all()) == PAGE
        read = connection.scalar(sa.text(READ))
    assert PAGE <= (read or 0) <= 2 * PAGE
