"""A worker that lost touch with PostgreSQL gives back what it leased; one that died does not."""

from __future__ import annotations

from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.index_state import Confirmation, Lease, Postponement
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import entry, expire_leases, lease, settle
from tests.making import a_user, an_entry

ONE, OTHER = new_id(), new_id()


@pytest.fixture
def item_id(transactions: PostgresTransactions) -> UUID:
    return an_entry(transactions, a_user(transactions))


def give_back(transactions: PostgresTransactions, holder: UUID) -> int:
    with transactions.worker() as work:
        return work.index.give_back(holder)


def taken_over(transactions: PostgresTransactions, sql: RunSql) -> Lease:
    """Leased by one, and after a while by the other."""
    assert lease(transactions, holder=ONE)
    expire_leases(sql)
    (held,) = lease(transactions, holder=OTHER)
    return held


def test_what_is_given_back_is_due_at_once_and_costs_no_attempt(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    (held,) = lease(transactions, holder=ONE)
    assert give_back(transactions, ONE) == 1
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.holders) == ("due", 0, [])
    (again,) = lease(transactions, holder=ONE)
    assert again.fence > held.fence
    assert give_back(transactions, ONE) == 1
    assert give_back(transactions, ONE) == 0


def test_another_workers_leases_are_left_alone(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    lease(transactions, holder=ONE)
    before = entry(sql, item_id)
    assert give_back(transactions, OTHER) == 0
    assert entry(sql, item_id) == before


def test_an_attempt_comes_back_from_an_entry_that_another_has_taken_over(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    held = taken_over(transactions, sql)
    assert held.attempts == 2
    assert give_back(transactions, ONE) == 1
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.fence) == ("leased", 1, held.fence)
    assert row.due_at == held.until
    with transactions.worker() as work:
        assert work.index.confirm([Confirmation(item_id, 1, "spec", 1)], held.fence) == {item_id}


def test_an_attempt_comes_back_from_an_entry_that_another_has_failed_on(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    held = taken_over(transactions, sql)
    with transactions.worker() as work:
        work.index.postpone([Postponement(item_id, 3600, "odd", refund=False)], held.fence)
    postponed = entry(sql, item_id)
    assert give_back(transactions, ONE) == 1
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.reason) == ("due", 1, "odd")
    assert row.due_at == postponed.due_at, "the other's word stands"
    assert give_back(transactions, OTHER) == 0, "who has been heard of has nothing to give back"


def test_every_attempt_of_the_same_worker_comes_back(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    for holder in (ONE, OTHER, ONE):
        lease(transactions, holder=holder)
        expire_leases(sql)
        sql("update index_entries set attempts = 1 where attempts = 2")
    sql("update index_entries set attempts = 3")
    assert give_back(transactions, ONE) == 1
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.holders) == ("due", 1, [OTHER])


def test_a_dead_workers_attempt_is_never_given_back(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    taken_over(transactions, sql)
    give_back(transactions, OTHER)
    row = entry(sql, item_id)
    assert (row.attempts, row.holders) == (1, [ONE])


def test_nothing_comes_back_from_an_entry_that_has_been_settled_since(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    held = taken_over(transactions, sql)
    with transactions.worker() as work:
        work.index.confirm([Confirmation(item_id, 1, "spec", 1)], held.fence)
    before = entry(sql, item_id)
    assert before.holders == []
    assert give_back(transactions, ONE) == 0
    assert entry(sql, item_id) == before


def test_a_rewritten_item_owes_nobody_anything(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions, holder=ONE)
    with transactions.owner(owner) as work:
        work.index.bury(item_id)
    assert entry(sql, item_id).holders == []
    with transactions.worker() as worker:
        worker.index.postpone([Postponement(item_id, 0, "", refund=True)], held.fence)
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.holders) == ("due", 0, [])


def test_an_entry_that_was_parked_or_made_due_again_has_no_holder(
    transactions: PostgresTransactions, item_id: UUID, sql: RunSql
) -> None:
    (held,) = lease(transactions)
    with transactions.worker() as work:
        work.index.park({item_id: "odd"}, held.fence)
    assert entry(sql, item_id).holders == []
    sql("update index_entries set state = 'due'")
    settle(transactions)
    sql("update index_entries set holders = array[:one]", one=ONE)
    with transactions.worker() as work:
        assert work.index.require_spec("another") == 1
    assert entry(sql, item_id).holders == []
