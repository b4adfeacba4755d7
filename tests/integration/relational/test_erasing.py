"""An erasure is done when the last tombstone has gone, whoever removes it and whenever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from atom_backend.domain.erasures import Erasure, ErasureState
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.errors import NotFound
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import lease
from tests.integration.relational.racing import somebody_waits_for_a_lock, until
from tests.making import a_document, a_user

RUNNING, DONE = ErasureState.RUNNING, ErasureState.DONE


def leave(transactions: PostgresTransactions, owner: Principal) -> Erasure:
    with transactions.owner(owner) as work:
        work.account.remove()
        work.index.bury_all()
        return work.erasures.begin(uuid4())


def now(transactions: PostgresTransactions, erasure: Erasure) -> Erasure:
    with transactions.worker() as work:
        return work.erasures.get(erasure.id)


def purge(transactions: PostgresTransactions, *leases: Any) -> None:
    with transactions.worker() as work:
        work.index.purge([one.item_id for one in leases], leases[0].fence)


def test_what_is_left_is_counted_until_nothing_is(transactions: PostgresTransactions) -> None:
    owner, other = a_user(transactions), a_user(transactions)
    for n in range(3):
        a_document(transactions, owner, f"Number {n}.")
    a_document(transactions, other)
    begun = leave(transactions, owner)
    assert (begun.items_total, begun.items_left, begun.state) == (3, 3, RUNNING)
    leases = [one for one in lease(transactions) if one.deleted]
    purge(transactions, leases[0])
    assert now(transactions, begun).items_left == 2
    purge(transactions, *leases[1:])
    done = now(transactions, begun)
    assert (done.items_total, done.items_left, done.state) == (3, 0, DONE)
    assert done.completed_at is not None
    assert done.completed_at > begun.requested_at


def test_an_account_of_which_the_index_knew_nothing_is_erased_at_once(
    transactions: PostgresTransactions,
) -> None:
    a_document(transactions, a_user(transactions))
    done = leave(transactions, a_user(transactions))
    assert (done.items_total, done.state, done.completed_at is None) == (0, DONE, False)
    assert now(transactions, done) == done


def test_what_was_deleted_just_before_is_waited_for_too(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)
    with transactions.owner(owner) as work:
        work.records(DOCUMENTS).remove(document.id)
        work.index.bury(document.id)
    assert leave(transactions, owner).items_left == 1


def test_two_workers_that_remove_the_last_two_at_once_complete_it(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    for n in range(2):
        a_document(transactions, owner, f"Number {n}.")
    begun = leave(transactions, owner)
    first, second = (one for one in lease(transactions) if one.deleted)
    with ThreadPoolExecutor(1) as pool:
        with transactions.worker() as work:
            work.index.purge([first.item_id], first.fence)
            other = pool.submit(purge, transactions, second)
            until(lambda: somebody_waits_for_a_lock(sql))
        other.result()
    done = now(transactions, begun)
    assert (done.state, done.completed_at is None) == (DONE, False)


def test_an_identifier_that_was_never_given_out_tells_nothing(
    transactions: PostgresTransactions,
) -> None:
    with transactions.worker() as work, pytest.raises(NotFound):
        work.erasures.get(uuid4())
