"""PostgreSQL's record of its store, and how a switch and a confirmation exclude each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.generations import Generation
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import STORE_ID, RunSql
from tests.integration.relational.racing import somebody_waits_for_a_lock, until

FIRST, SECOND = Generation(STORE_ID, 1), Generation(STORE_ID, 2)


def hold(transactions: PostgresTransactions, generation: Generation) -> bool:
    with transactions.worker() as work:
        return work.store.hold(generation)


def test_there_is_one_record_and_it_says_what_was_written_last(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    sql("delete from vector_store")
    with transactions.worker() as work:
        assert work.store.read() is work.store.locked() is None
        for generation in (FIRST, SECOND, Generation(other := new_id(), 1)):
            work.store.write(generation)
            assert work.store.read() == work.store.locked() == generation
    assert sql("select store_id, generation from vector_store") == [(other, 1)]
    with pytest.raises(sa.exc.IntegrityError):
        sql("insert into vector_store values (false, :id, 1)", id=other)


def test_only_the_current_generation_of_the_own_store_can_be_held(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    assert hold(transactions, FIRST)
    assert not hold(transactions, SECOND)
    assert not hold(transactions, Generation(new_id(), 1))
    sql("delete from vector_store")
    assert not hold(transactions, FIRST)


def test_confirmations_do_not_wait_for_each_other(transactions: PostgresTransactions) -> None:
    with transactions.worker() as one, transactions.worker() as other:
        assert one.store.hold(FIRST)
        assert other.store.hold(FIRST)


def test_a_confirmation_during_a_switch_waits_for_it_and_then_fails(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transactions.worker() as work:
            assert work.store.locked() == FIRST
            held = pool.submit(hold, transactions, FIRST)
            until(lambda: somebody_waits_for_a_lock(sql))
            work.store.write(SECOND)
        assert not held.result()


def test_a_switch_waits_for_the_confirmations_that_are_under_way(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    def switch() -> None:
        with transactions.worker() as work:
            work.store.locked()
            work.store.write(SECOND)

    with ThreadPoolExecutor(1) as pool:
        with transactions.worker() as work:
            assert work.store.hold(FIRST)
            switched = pool.submit(switch)
            until(lambda: somebody_waits_for_a_lock(sql))
            assert work.store.read() == FIRST
        switched.result()
    assert hold(transactions, SECOND)
