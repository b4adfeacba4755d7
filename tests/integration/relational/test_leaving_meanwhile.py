"""What an owner is doing while the account is deleted goes too, and holds nothing up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.items import Kind
from atom_backend.domain.owner_work import OwnerWork, StoredResponse
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.search import SearchFilter
from atom_backend.errors import NotFound, Unauthenticated
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.leaving import TOKEN, an_account_with_everything, leave, rows_left
from tests.integration.relational.queue import lease
from tests.integration.relational.racing import until, waiting_for_locks
from tests.making import a_draft, a_user, changed

Write = Callable[[OwnerWork], object]
"""Something that an owner does, who has one document."""

Begin = Callable[..., Future[object]]


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return an_account_with_everything(transactions)


@pytest.fixture
def held_up(sql: RunSql) -> Iterator[Begin]:
    """Begins something on a thread of its own, and returns when so many are held up by locks."""
    with ThreadPoolExecutor(2) as pool:

        def begin(act: Callable[[], object], waiters: int = 1) -> Future[object]:
            begun = pool.submit(act)
            until(lambda: begun.done() or waiting_for_locks(sql) >= waiters)
            assert not begun.done()
            return begun

        yield begin


def create(work: OwnerWork) -> None:
    document = work.records(DOCUMENTS).add(new_id(), a_draft("Written at the last moment."))
    work.index.want(document.id, Kind.DOCUMENT, document.revision)


def replace(work: OwnerWork) -> None:
    (document_id,) = work.items.matching(SearchFilter(), limit=2)
    document = changed(work, document_id, text="Changed at the last moment.")
    work.index.want(document_id, Kind.DOCUMENT, document.revision)


def delete(work: OwnerWork) -> None:
    (document_id,) = work.items.matching(SearchFilter(), limit=2)
    work.records(DOCUMENTS).get(document_id, for_update=True)
    work.records(DOCUMENTS).remove(document_id)
    work.index.bury(document_id)


def keep_an_answer(work: OwnerWork) -> None:
    work.idempotency.claim("other key")
    work.idempotency.store("other key", StoredResponse(b"", 200, {}, b""))


WRITES = [create, replace, delete, keep_an_answer]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_under_way_is_waited_for_and_goes_too(
    transactions: PostgresTransactions,
    owner: Principal,
    sql: RunSql,
    held_up: Begin,
    write: Write,
) -> None:
    with transactions.owner(owner) as work:
        write(work)
        leaving = held_up(lambda: leave(transactions, owner))
    leaving.result(30)
    assert set(rows_left(sql, owner).values()) == {0}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_comes_too_late_fails_and_leaves_nothing(
    transactions: PostgresTransactions,
    owner: Principal,
    sql: RunSql,
    held_up: Begin,
    write: Write,
) -> None:
    def write_late() -> None:
        with transactions.owner(owner) as work:
            write(work)

    with transactions.owner(owner) as work:
        work.account.remove()
        late = held_up(write_late)
        work.index.bury_all()
    with pytest.raises((Unauthenticated, NotFound)) as refusal:
        late.result(30)
    assert refusal.value.code in ("session_ended", "not_found")
    assert set(rows_left(sql, owner).values()) == {0}


def test_a_refresh_and_the_deletion_do_not_wait_for_each_other(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, held_up: Begin
) -> None:
    with transactions.sign_in() as work:
        token = work.refresh_token(TOKEN)
        assert token is not None
        leaving = held_up(lambda: leave(transactions, owner))
        work.add_refresh_token(refresh_digest("next"), token.session_id, datetime.now(UTC))
        work.use_refresh_token(TOKEN)
    leaving.result(30)
    assert sql("select count(*) from refresh_tokens") == [(0,)]


def test_a_refresh_that_comes_in_between_does_not_hold_up_the_deletion(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, held_up: Begin
) -> None:
    """The deletion has got as far as the account, and not to the refresh token."""

    def refresh() -> object:
        with transactions.sign_in() as work:
            return work.refresh_token(TOKEN)

    ((session_id,),) = sql("select id from sessions")
    with transactions.sign_in() as work:
        work.close_session(session_id)
        leaving = held_up(lambda: leave(transactions, owner))
        refreshing = held_up(refresh, waiters=2)
    leaving.result(30)
    assert refreshing.result(30) is None


def test_a_refresh_after_the_deletion_finds_no_token(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, held_up: Begin
) -> None:
    def refresh() -> object:
        with transactions.sign_in() as work:
            return work.refresh_token(TOKEN)

    with transactions.owner(owner) as work:
        work.account.remove()
        refreshing = held_up(refresh)
        work.index.bury_all()
    assert refreshing.result(30) is None


def test_a_login_after_the_deletion_is_refused(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql, held_up: Begin
) -> None:
    def log_in() -> None:
        with transactions.sign_in() as work:
            work.open_session(new_id(), owner.user_id, None)

    with transactions.owner(owner) as work:
        work.account.remove()
        logging_in = held_up(log_in)
        work.index.bury_all()
    with pytest.raises(Unauthenticated):
        logging_in.result(30)


def test_a_burial_locks_entries_in_the_order_in_which_workers_do(
    transactions: PostgresTransactions, sql: RunSql, held_up: Begin
) -> None:
    owner = a_user(transactions)
    low, high = sorted([new_id(), new_id()])
    with transactions.owner(owner) as work:
        for item_id in (high, low):
            work.index.want(item_id, Kind.DOCUMENT, 1)
    fence = lease(transactions)[0].fence
    with transactions.worker() as worker:
        worker.index.extend([low], fence, 60)
        leaving = held_up(lambda: leave(transactions, owner))
        assert worker.index.extend([low, high], fence, 60) == {low, high}
    leaving.result(30)
    assert sql("select count(*) from index_entries where not deleted") == [(0,)]
