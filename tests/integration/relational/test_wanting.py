"""An owner's writes make index entries due, whatever state those were in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.index_state import Confirmation, Lease
from atom_backend.domain.items import Kind
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import entry, expire_leases, lease, settle
from tests.making import a_user, an_entry


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def want(
    transactions: PostgresTransactions, owner: Principal, item_id: UUID, revision: int
) -> None:
    with transactions.owner(owner) as work:
        work.index.want(item_id, Kind.DOCUMENT, revision)


def bury(transactions: PostgresTransactions, owner: Principal, item_id: UUID) -> None:
    with transactions.owner(owner) as work:
        work.index.bury(item_id)


def test_a_wanted_item_is_leased_as_it_was_wanted(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    item_id = an_entry(transactions, owner, revision=7)
    (leased,) = lease(transactions)
    assert isinstance(leased, Lease)
    assert (leased.item_id, leased.owner_id) == (item_id, owner.user_id)
    assert (leased.kind, leased.revision, leased.deleted) == (Kind.DOCUMENT, 7, False)
    assert leased.attempts == 1


def test_a_revision_is_never_lowered(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner, revision=7)
    want(transactions, owner, item_id, 3)
    assert entry(sql, item_id).revision == 7


def test_a_rolled_back_write_wants_nothing(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    def write_and_fail() -> None:
        with transactions.owner(owner) as work:
            work.index.want(new_id(), Kind.DOCUMENT, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert lease(transactions) == []


def rewrite(transactions: PostgresTransactions, owner: Principal, item_id: UUID) -> None:
    want(transactions, owner, item_id, 2)


@pytest.mark.parametrize("change", [rewrite, bury])
def test_a_write_during_a_lease_leaves_the_lease_and_makes_its_work_outdated(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, change: Any
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    change(transactions, owner, item_id)
    assert entry(sql, item_id).state == "leased"
    assert lease(transactions) == [], "nobody else may touch it meanwhile"
    with transactions.worker() as work:
        done = [Confirmation(item_id, held.revision, "spec", 1)]
        assert work.index.confirm(done, held.fence) == {item_id}
    (again,) = lease(transactions)
    assert (again.revision, again.deleted) == (2, change is bury)
    assert again.fence > held.fence


def test_a_write_after_a_lease_ran_out_makes_the_entry_due_and_shuts_the_late_worker_out(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    (late,) = lease(transactions)
    expire_leases(sql)
    want(transactions, owner, item_id, 2)
    assert entry(sql, item_id).state == "due"
    with transactions.worker() as work:
        assert work.index.confirm([Confirmation(item_id, 1, "spec", 1)], late.fence) == set()


def test_a_write_gives_a_parked_item_a_fresh_start(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    (held,) = lease(transactions)
    with transactions.worker() as work:
        work.index.park({item_id: "too odd"}, held.fence)
    sql("update index_entries set requested_at = now() - interval '1 day'")
    want(transactions, owner, item_id, 2)
    row = entry(sql, item_id)
    assert (row.state, row.attempts, row.reason) == ("due", 0, None)
    with transactions.worker() as work:
        assert work.index.statistics().lag_seconds < 3600, "the wait begins with this write"


def test_the_wait_of_an_item_begins_with_its_first_write(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    sql("update index_entries set requested_at = now() - interval '1 day'")
    want(transactions, owner, item_id, 2)
    with transactions.worker() as work:
        assert work.index.statistics().lag_seconds == pytest.approx(86_400, abs=600)


def test_a_settled_item_is_due_after_a_write(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    settle(transactions)
    want(transactions, owner, item_id, 2)
    row = entry(sql, item_id)
    assert (row.state, row.indexed_revision, row.revision) == ("due", 1, 2)


def test_a_buried_item_is_a_tombstone_that_a_late_write_does_not_revive(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    item_id = an_entry(transactions, owner, revision=3)
    settle(transactions)
    bury(transactions, owner, item_id)
    want(transactions, owner, item_id, 3)
    (tombstone,) = lease(transactions)
    assert (tombstone.revision, tombstone.deleted) == (4, True)


def test_burying_what_was_never_wanted_changes_nothing(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    bury(transactions, owner, new_id())
    assert lease(transactions) == []
