"""A repair makes entries due, and only those that nobody has touched since the check."""

from __future__ import annotations

from uuid import UUID

import pytest

from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.rules import Record
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import entry, lease, settle
from tests.making import a_document, a_user, an_entry

PARKED = "update index_entries set state = 'parked', reason = :reason, attempts = 4"


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


@pytest.fixture
def document(transactions: PostgresTransactions, owner: Principal) -> Record:
    """One that is settled."""
    made = a_document(transactions, owner)
    settle(transactions)
    return made


def reconcile(transactions: PostgresTransactions, *item_ids: UUID) -> int:
    with transactions.worker() as work:
        return work.repairs.reconcile(item_ids)


def requeue(transactions: PostgresTransactions, item_id: UUID, fence: int) -> int:
    with transactions.worker() as work:
        return work.repairs.requeue({item_id: fence})


def test_a_settled_entry_is_due_again_with_all_its_attempts(
    transactions: PostgresTransactions, document: Record, sql: RunSql
) -> None:
    sql("update index_entries set indexed_revision = 9, attempts = 3")
    assert requeue(transactions, document.id, entry(sql, document.id).fence) == 1
    now = entry(sql, document.id)
    assert (now.state, now.attempts, now.holders, now.reason) == ("due", 0, [], None)
    assert now.indexed_revision == 0
    assert [one.item_id for one in lease(transactions)] == [document.id]


def test_an_entry_that_was_settled_again_since_is_left_alone(
    transactions: PostgresTransactions, document: Record, sql: RunSql
) -> None:
    earlier = entry(sql, document.id).fence - 1
    assert requeue(transactions, document.id, earlier) == 0
    assert entry(sql, document.id).state == "settled"


@pytest.mark.parametrize("state", ["due", "leased", "parked"])
def test_an_entry_that_is_not_settled_is_left_alone(
    transactions: PostgresTransactions, document: Record, sql: RunSql, state: str
) -> None:
    sql("update index_entries set state = :state, reason = 'some', attempts = 1", state=state)
    before = entry(sql, document.id)
    assert requeue(transactions, document.id, before.fence) == 0
    assert entry(sql, document.id) == before


@pytest.mark.parametrize(
    "damage",
    [
        "delete from index_entries",
        "update index_entries set owner_id = gen_random_uuid()",
        "update index_entries set revision = 5, indexed_revision = 5",
        "update index_entries set revision = 0",
        "update index_entries set deleted = true, state = 'due'",
        "update index_entries set revision = 5, state = 'parked', reason = 'some'",
    ],
)
def test_an_entry_that_contradicts_its_item_is_written_anew(
    transactions: PostgresTransactions,
    owner: Principal,
    document: Record,
    sql: RunSql,
    damage: str,
) -> None:
    sql(damage)
    assert reconcile(transactions, document.id) == 1
    now = entry(sql, document.id)
    assert (now.owner_id, now.revision, now.deleted) == (owner.user_id, 1, False)
    assert (now.kind, now.state, now.reason) == ("document", "due", None)
    assert settle(transactions) == {document.id}
    assert entry(sql, document.id).state == "settled"
    assert reconcile(transactions, document.id) == 0


def test_an_entry_that_fits_its_item_is_left_alone(
    transactions: PostgresTransactions, document: Record, sql: RunSql
) -> None:
    before = entry(sql, document.id)
    assert reconcile(transactions, document.id) == 0
    assert entry(sql, document.id) == before


def test_a_lease_outlives_a_correction_of_its_entry(
    transactions: PostgresTransactions, document: Record, sql: RunSql
) -> None:
    """As after a write meanwhile: its worker finds out when it confirms."""
    sql("update index_entries set revision = 9, state = 'due'")
    (leased,) = lease(transactions)
    assert reconcile(transactions, document.id) == 1
    now = entry(sql, document.id)
    assert (now.state, now.fence, now.revision) == ("leased", leased.fence, 1)


def test_an_entry_without_an_item_becomes_a_tombstone(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_id = an_entry(transactions, owner)
    settle(transactions)
    assert reconcile(transactions, item_id) == 1
    (leased,) = lease(transactions)
    assert (leased.item_id, leased.deleted) == (item_id, True)
    assert reconcile(transactions, item_id) == 0


def test_others_than_the_named_are_left_alone(
    transactions: PostgresTransactions, owner: Principal, document: Record, sql: RunSql
) -> None:
    other = an_entry(transactions, owner)
    sql("update index_entries set revision = 5, indexed_revision = 5, deleted = false")
    assert reconcile(transactions, document.id) == 1
    assert entry(sql, other).revision == 5


def test_later_leases_outrank_what_was_named(
    transactions: PostgresTransactions, document: Record, sql: RunSql
) -> None:
    fence = entry(sql, document.id).fence
    with transactions.worker() as work:
        work.repairs.outrank(fence + 7_000_000)
    requeue(transactions, document.id, fence)
    (leased,) = lease(transactions)
    assert leased.fence > fence + 7_000_000
    with transactions.worker() as work:
        work.repairs.outrank(fence)
        work.repairs.outrank(0)
    requeue(transactions, document.id, leased.fence)
    assert sql("select last_value from lease_fence") == [(leased.fence,)]


def test_the_parked_are_counted_by_reason_and_tried_again(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    item_ids = {an_entry(transactions, owner) for _ in range(3)}
    sql(PARKED, reason="the model does not answer")
    settled = an_entry(transactions, owner)
    settle(transactions)
    with transactions.worker() as work:
        assert work.repairs.parked() == {"the model does not answer": 3}
        assert work.repairs.retry_parked() == 3
    assert {one.item_id for one in lease(transactions)} == item_ids
    assert entry(sql, settled).state == "settled"
    with transactions.worker() as work:
        assert work.repairs.parked() == {}
        assert work.repairs.retry_parked() == 0
