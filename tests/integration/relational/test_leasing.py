"""Leases: one worker an entry, attempts counted when taken, suspects alone, parking at the end."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.backoff import SUSPECT_AFTER
from atom_backend.domain.index_state import Postponement
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import (
    MAX_ATTEMPTS,
    entry,
    expire_leases,
    lease,
    settle,
)
from tests.integration.relational.racing import together
from tests.making import a_user, an_entry


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def test_two_leasers_never_share_an_entry(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    items = {an_entry(transactions, owner) for _ in range(60)}
    batches = together(lambda _: lease(transactions, 15), 8)
    taken = Counter(one.item_id for batch in batches for one in batch)
    assert set(taken.values()) == {1}
    assert taken.keys() | {one.item_id for one in lease(transactions)} == items
    fences = [{one.fence for one in batch} for batch in batches if batch]
    assert all(len(fence) == 1 for fence in fences)
    assert len(set.union(*fences)) == len(fences)


def test_entries_held_by_an_open_transaction_are_skipped_without_waiting(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    an_entry(transactions, owner)
    with transactions.worker() as first:
        assert (
            len(first.index.lease(new_id(), limit=9, seconds=60, suspects=False, max_attempts=4))
            == 1
        )
        assert lease(transactions) == []


def test_the_oldest_come_first(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    items = [an_entry(transactions, owner) for _ in range(4)]
    sql(
        "update index_entries set due_at = now() - interval '1 hour' where item_id = :i", i=items[2]
    )
    assert {one.item_id for one in lease(transactions, 2)} == {items[2], items[0]}
    assert {one.item_id for one in lease(transactions, 2)} == {items[1], items[3]}


def test_a_lease_lasts_as_long_as_asked_and_then_passes_to_the_next_with_a_higher_fence(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    an_entry(transactions, owner)
    (first,) = lease(transactions)
    assert abs(first.until - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(seconds=20)
    assert lease(transactions) == []
    expire_leases(sql)
    (second,) = lease(transactions)
    assert second.fence > first.fence
    assert second.attempts == first.attempts + 1


def test_a_postponed_entry_is_not_taken_before_its_time(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        later = [Postponement(item_id, 3600, "the store is down", refund=False)]
        assert work.index.postpone(later, held.fence) == {item_id}
        assert work.index.seconds_until_due() == pytest.approx(3600, abs=60)
    assert lease(transactions) == []
    assert entry(sql, item_id).reason == "the store is down"


def test_what_keeps_failing_is_taken_only_as_a_suspect(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    suspect, fresh = an_entry(transactions, owner), an_entry(transactions, owner)
    sql("update index_entries set attempts = :n where item_id = :i", n=SUSPECT_AFTER, i=suspect)
    assert [one.item_id for one in lease(transactions)] == [fresh]
    (alone,) = lease(transactions, suspects=True)
    assert (alone.item_id, alone.attempts) == (suspect, SUSPECT_AFTER + 1)


def test_suspects_are_taken_with_their_likes_in_ever_smaller_groups(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    many = {an_entry(transactions, owner) for _ in range(12)}
    worst = an_entry(transactions, owner)
    failed = "update index_entries set attempts = :n where item_id = any(:i)"
    sql(failed, n=SUSPECT_AFTER, i=list(many))
    sql(failed, n=SUSPECT_AFTER + 1, i=[worst])
    sizes = []
    taken = set()
    while held := lease(transactions, limit=16, suspects=True):
        assert len({one.attempts for one in held}) == 1
        sizes.append(len(held))
        taken |= {one.item_id for one in held}
    assert sorted(sizes) == [1, 4, 4, 4]
    assert taken == many | {worst}


def test_an_entry_that_kills_its_worker_each_time_is_parked_with_a_reason(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (held,) = lease(transactions, suspects=attempt > SUSPECT_AFTER)
        assert held.attempts == attempt
        expire_leases(sql)
    assert lease(transactions, suspects=True) == []
    with transactions.worker() as work:
        (parked,) = work.index.parked(9)
    assert parked == (item_id, "gave up after 4 attempts: the worker did not finish")


def test_a_parked_entry_says_why_it_failed_last(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (held,) = lease(transactions, suspects=attempt > SUSPECT_AFTER)
        with transactions.worker() as work:
            again = Postponement(item_id, 0, f"failure {attempt}", refund=False)
            work.index.postpone([again], held.fence)
    assert lease(transactions) == []
    assert entry(sql, item_id).state == "parked"
    assert entry(sql, item_id).reason == "gave up after 4 attempts: failure 4"


def test_a_refunded_attempt_does_not_count(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    item_id = an_entry(transactions, owner)
    for _ in range(MAX_ATTEMPTS + 2):
        (held,) = lease(transactions)
        assert held.attempts == 1
        with transactions.worker() as work:
            again = Postponement(item_id, 0, "LanceDB does not answer", refund=True)
            work.index.postpone([again], held.fence)


def test_the_parked_are_listed_oldest_first(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    items = [an_entry(transactions, owner) for _ in range(3)]
    (first, *_) = lease(transactions)
    with transactions.worker() as work:
        work.index.park({item: f"reason {n}" for n, item in enumerate(items)}, first.fence)
        assert work.index.parked(2) == [(items[0], "reason 0"), (items[1], "reason 1")]


def test_the_time_until_something_is_due_counts_leases_and_suspects(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    def until_due() -> float | None:
        with transactions.worker() as work:
            return work.index.seconds_until_due()

    assert until_due() is None
    item_id = an_entry(transactions, owner)
    assert until_due() == 0
    lease(transactions)
    assert until_due() == pytest.approx(60, abs=20)
    sql("update index_entries set attempts = :n", n=SUSPECT_AFTER)
    assert until_due() == pytest.approx(60, abs=20)
    expire_leases(sql)
    assert until_due() == 0
    sql("update index_entries set attempts = 0")
    assert settle(transactions) == {item_id}
    assert until_due() is None
