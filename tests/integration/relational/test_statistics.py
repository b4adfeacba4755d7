"""The queue can be counted, and its lag is that of what can still become searchable."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.index_state import IndexStatistics
from atom_backend.domain.principals import Principal
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.worker_index import PostgresWorkerIndex
from tests.conftest import RunSql
from tests.integration.relational.queue import entry, lease, settle
from tests.making import a_user, an_entry


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def statistics(transactions: PostgresTransactions) -> IndexStatistics:
    with transactions.worker() as work:
        return work.index.statistics()


def test_an_empty_queue_has_no_lag(transactions: PostgresTransactions) -> None:
    assert statistics(transactions) == IndexStatistics(0, 0, 0, 0, 0, 0.0)


def test_entries_are_counted_by_state_and_tombstones_once_more(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    for _ in range(3):
        an_entry(transactions, owner)
    settle(transactions)
    parked = an_entry(transactions, owner)
    with transactions.owner(owner) as work:
        work.index.bury(parked)
    (held,) = lease(transactions)
    with transactions.worker() as worker:
        worker.index.park({parked: "odd"}, held.fence)
    an_entry(transactions, owner)
    an_entry(transactions, owner)
    lease(transactions, 1)
    counted = statistics(transactions)
    assert (counted.due, counted.leased, counted.settled, counted.parked) == (1, 1, 3, 1)
    assert counted.tombstones == 1


def test_the_lag_is_the_age_of_the_oldest_waiting_write_without_the_parked(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    waiting, parked = an_entry(transactions, owner), an_entry(transactions, owner)
    fence = lease(transactions)[0].fence
    with transactions.worker() as work:
        work.index.park({parked: "odd"}, fence)
    age = "update index_entries set requested_at = now() - make_interval(mins => :m)"
    sql(f"{age} where item_id = :id", m=10, id=waiting)
    sql(f"{age} where item_id = :id", m=90, id=parked)
    assert statistics(transactions).lag_seconds == pytest.approx(600, abs=60)


def test_another_spec_makes_what_was_settled_under_the_old_one_due(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    old = an_entry(transactions, owner)
    settle(transactions, spec="model-1")
    new = an_entry(transactions, owner)
    settle(transactions, spec="model-2")
    with transactions.worker() as work:
        assert work.index.require_spec("model-2") == 1
        assert work.index.require_spec("model-2") == 0
    assert entry(sql, old).state == "due"
    assert entry(sql, new).state == "settled"
    assert [one.item_id for one in lease(transactions)] == [old]


MANY = 20_000


def test_the_queue_is_served_by_partial_indexes_beside_many_settled_entries(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, database_url: str
) -> None:
    sql(
        """
        insert into index_entries (item_id, owner_id, kind, revision, indexed_revision, state,
            due_at, spec, requested_at, settled_at)
        select gen_random_uuid(), :owner, 'document', 1, 1, 'settled', now(), 'spec', now(), now()
        from generate_series(1, :many)
        """,
        owner=owner.user_id,
        many=MANY,
    )
    sql("vacuum analyze index_entries")
    item_id = an_entry(transactions, owner)
    with create_engine(database_url, max_connections=0).begin() as connection:
        connection.execute(sa.text("select set_config('role', 'atom_worker', true)"))
        index = PostgresWorkerIndex(connection)
        (held,) = index.lease(new_id(), limit=9, seconds=60, suspects=False, max_attempts=4)
        assert index.seconds_until_due() is not None
        assert index.parked(9) == []
        assert index.require_spec("spec") == 0
        assert index.statistics().settled == MANY
        assert (connection.scalar(ROWS_READ) or 0) < 100
    assert held.item_id == item_id


ROWS_READ = sa.text("""
    select seq_tup_read + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_user_tables where relname = 'index_entries'
""")
"""Rows that this transaction has fetched from the table itself, by an index or by a scan."""
