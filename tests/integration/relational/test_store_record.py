"""PostgreSQL's record of its store, and how a switch and a confirmation exclude each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.generations import Generation
from atom_backend.domain.index_state import Confirmation
from atom_backend.domain.items import Kind
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import STORE_ID, RunSql
from tests.integration.relational.queue import entry, lease, settle
from tests.integration.relational.racing import somebody_waits_for_a_lock, until
from tests.making import a_user, an_entry

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


def test_only_what_nobody_leased_rewrote_parked_or_deleted_is_accepted(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    names = ["settled", "due", "leased", "rewritten", "parked", "deleted", "unnamed"]
    items = {name: an_entry(transactions, owner) for name in names}
    lease(transactions)
    settled = """
        update index_entries set state = 'settled', indexed_revision = 1, spec = 'old',
            settled_at = now() where item_id <> :leased
    """
    sql(settled, leased=items["leased"])
    sql("update index_entries set state = 'due', attempts = 3 where item_id = :id", id=items["due"])
    park = "update index_entries set state = 'parked', reason = 'odd' where item_id = :id"
    sql(park, id=items["parked"])
    with transactions.owner(owner) as work:
        work.index.want(items["rewritten"], Kind.DOCUMENT, 2)
        work.index.bury(items["deleted"])
    before = {name: entry(sql, item) for name, item in items.items()}

    with transactions.worker() as work:
        given = [
            Confirmation(item, 1, "new", 7) for name, item in items.items() if name != "unnamed"
        ]
        assert work.store.accept(given) == 2

    for name, item in items.items():
        after = entry(sql, item)
        if name in {"settled", "due"}:
            assert (after.state, after.spec, after.chunk_count) == ("settled", "new", 7)
            assert (after.indexed_revision, after.attempts, after.reason) == (1, 0, None)
        else:
            assert after == before[name]


def test_a_store_is_in_use_from_the_first_confirmation_on(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    def in_use() -> bool:
        with transactions.worker() as work:
            return work.store.in_use()

    an_entry(transactions, a_user(transactions))
    assert not in_use()
    settle(transactions)
    assert in_use()
    sql("update index_entries set state = 'due', indexed_revision = 0")
    assert in_use()
