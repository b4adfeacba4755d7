"""Only who still holds an entry changes it, and a rewritten entry is due at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from atom_backend.domain.index_state import Confirmation, Postponement
from atom_backend.domain.items import Kind
from atom_backend.domain.principals import Principal
from atom_backend.domain.worker_work import WorkerIndex
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import entry, expire_leases, lease, settle
from tests.making import a_user, an_entry

Call = Callable[[WorkerIndex, Sequence[UUID], int], set[UUID]]


def confirm(index: WorkerIndex, items: Sequence[UUID], fence: int) -> set[UUID]:
    return index.confirm([Confirmation(item, 1, "spec", 2) for item in items], fence)


def postpone(index: WorkerIndex, items: Sequence[UUID], fence: int) -> set[UUID]:
    return index.postpone([Postponement(item, 3600, "down", False) for item in items], fence)


def park(index: WorkerIndex, items: Sequence[UUID], fence: int) -> set[UUID]:
    return index.park(dict.fromkeys(items, "odd"), fence)


def purge(index: WorkerIndex, items: Sequence[UUID], fence: int) -> set[UUID]:
    return index.purge(items, fence)


def extend(index: WorkerIndex, items: Sequence[UUID], fence: int) -> set[UUID]:
    return index.extend(items, fence, 3600)


CALLS: list[Call] = [confirm, postpone, park, purge, extend]


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def bury(transactions: PostgresTransactions, owner: Principal, item_id: UUID) -> None:
    with transactions.owner(owner) as work:
        work.index.bury(item_id)


@pytest.mark.parametrize("call", CALLS)
def test_a_late_worker_changes_nothing(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, call: Call
) -> None:
    item_id = an_entry(transactions, owner)
    if call is purge:
        bury(transactions, owner, item_id)
    (late,) = lease(transactions)
    expire_leases(sql)
    (present,) = lease(transactions)
    before = entry(sql, item_id)
    with transactions.worker() as work:
        assert call(work.index, [item_id], late.fence) == set()
    assert entry(sql, item_id) == before
    with transactions.worker() as work:
        assert call(work.index, [item_id], present.fence) == {item_id}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_not_leased_any_more_is_left_alone(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, call: Call
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        confirm(work.index, [item_id], held.fence)
    before = entry(sql, item_id)
    with transactions.worker() as work:
        assert call(work.index, [item_id], held.fence) == set()
    assert entry(sql, item_id) == before


@pytest.mark.parametrize("call", CALLS)
def test_no_items_are_no_work(transactions: PostgresTransactions, call: Call) -> None:
    with transactions.worker() as work:
        assert call(work.index, [], 1) == set()


def test_a_batch_is_changed_as_far_as_it_is_held(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    items = [an_entry(transactions, owner) for _ in range(3)]
    fence = lease(transactions)[0].fence
    sql("update index_entries set fence = fence + 1 where item_id = :id", id=items[1])
    with transactions.worker() as work:
        assert confirm(work.index, items, fence) == {items[0], items[2]}


def test_a_confirmed_entry_is_settled_with_what_is_stored_of_it(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    settle(transactions, spec="model-1")
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.reason) == ("settled", 0, None)
    assert (row.indexed_revision, row.spec, row.chunk_count) == (1, "model-1", 1)
    assert row.settled_at is not None


def test_a_newer_text_than_the_entry_asked_for_settles_it(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner, revision=2)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        work.index.confirm([Confirmation(item_id, 5, "spec", 1)], held.fence)
    row = entry(sql, item_id)
    assert (row.state, row.indexed_revision) == ("settled", 5)


def test_the_indexed_revision_is_never_lowered(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner, revision=5)
    settle(transactions)
    with transactions.owner(owner) as work:
        work.index.want(item_id, Kind.DOCUMENT, 6)
    (held,) = lease(transactions)
    with transactions.worker() as worker:
        confirm(worker.index, [item_id], held.fence)
    row = entry(sql, item_id)
    assert (row.state, row.indexed_revision) == ("due", 5)


@pytest.mark.parametrize("call", [confirm, postpone, park])
def test_an_entry_that_was_rewritten_meanwhile_is_due_at_once(
    transactions: PostgresTransactions, owner: Principal, call: Call
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    with transactions.owner(owner) as work:
        work.index.want(item_id, Kind.DOCUMENT, 2)
    with transactions.worker() as worker:
        assert call(worker.index, [item_id], held.fence) == {item_id}
    (again,) = lease(transactions)
    assert (again.revision, again.attempts) == (2, 1), "the new text has all its attempts"


@pytest.mark.parametrize("rewritten", [False, True])
def test_a_lease_is_prolonged_only_while_its_revision_is_wanted(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, rewritten: bool
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    if rewritten:
        bury(transactions, owner, item_id)
    with transactions.worker() as work:
        assert extend(work.index, [item_id], held.fence) == (set() if rewritten else {item_id})
    prolonged = (entry(sql, item_id).due_at - held.until).total_seconds()
    assert prolonged == (0 if rewritten else pytest.approx(3540, abs=60))


def test_a_lease_is_never_shortened(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        assert work.index.extend([item_id], held.fence, 1) == {item_id}
    assert entry(sql, item_id).due_at == held.until


def test_only_tombstones_are_purged(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    living, dead = an_entry(transactions, owner), an_entry(transactions, owner)
    bury(transactions, owner, dead)
    fence = lease(transactions)[0].fence
    with transactions.worker() as work:
        assert work.index.purge([living, dead], fence) == {dead}
    assert [row.item_id for row in sql("select item_id from index_entries")] == [living]


def test_a_confirmed_tombstone_is_due_and_not_settled(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    bury(transactions, owner, item_id)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        work.index.confirm([Confirmation(item_id, held.revision, "spec", 0)], held.fence)
    assert entry(sql, item_id).state == "due"
