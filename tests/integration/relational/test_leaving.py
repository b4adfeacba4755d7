"""Leaving: an account goes with everything of its own, also what is being written meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.documents import DocumentChanges
from atom_backend.domain.items import Kind
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import SearchFilter
from atom_backend.domain.transactions import OwnerWork, StoredResponse
from atom_backend.errors import NotFound, Unauthenticated
from atom_backend.relational.engine import create_engine
from atom_backend.relational.tables import index_entries, metadata, users
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from tests.conftest import RunSql
from tests.integration.relational.queue import lease, settle
from tests.integration.relational.racing import until, waiting_for_locks
from tests.making import a_document, a_draft, a_user

Write = Callable[[OwnerWork], object]
"""Something that an owner does, who has one document."""

Begin = Callable[..., Future[object]]

TOKEN = refresh_digest("token")


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    """An account with a row in every table, and a document that is indexed."""
    owner = a_user(transactions, "ada@example.org")
    a_document(transactions, owner)
    settle(transactions)
    with transactions.owner(owner) as work:
        work.idempotency.store("key", StoredResponse(b"", 200, {}, b""))
    session_id = new_id()
    with transactions.sign_in() as signing_in:
        signing_in.open_session(session_id, owner.user_id, None)
        signing_in.add_refresh_token(TOKEN, session_id, datetime.now(UTC))
    return owner


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


def leave(transactions: PostgresTransactions, owner: Principal) -> None:
    with transactions.owner(owner) as work:
        work.account.remove()
        work.index.bury_all()


def rows_left(sql: RunSql, owner: Principal) -> dict[str, int]:
    """Of everything that belongs to an account; tombstones do not count."""
    return {
        table: sql(f"select count(*) from {table} where {condition}", owner=owner.user_id)[0][0]
        for table, condition in {
            "users": "id = :owner",
            "credentials": "user_id = :owner",
            "sessions": "user_id = :owner",
            "refresh_tokens": "session_id in (select id from sessions where user_id = :owner)",
            "documents": "owner_id = :owner",
            "idempotency_keys": "owner_id = :owner",
            "index_entries": "owner_id = :owner and not deleted",
        }.items()
    }


def create(work: OwnerWork) -> None:
    document = work.documents.add(new_id(), a_draft("Written at the last moment."))
    work.index.want(document.id, Kind.DOCUMENT, document.revision)


def replace(work: OwnerWork) -> None:
    (document_id,) = work.documents.matching(SearchFilter(), limit=2)
    work.documents.get(document_id, for_update=True)
    changed = DocumentChanges(text="Changed at the last moment.")
    document = work.documents.change(document_id, changed, content_hash=bytes(32))
    work.index.want(document_id, Kind.DOCUMENT, document.revision)


def delete(work: OwnerWork) -> None:
    (document_id,) = work.documents.matching(SearchFilter(), limit=2)
    work.documents.get(document_id, for_update=True)
    work.documents.remove(document_id)
    work.index.bury(document_id)


def keep_an_answer(work: OwnerWork) -> None:
    work.idempotency.claim("other key")
    work.idempotency.store("other key", StoredResponse(b"", 200, {}, b""))


WRITES = [create, replace, delete, keep_an_answer]


def test_everything_goes_with_the_account_and_nothing_of_another(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    ((document_id,),) = sql("select id from documents")
    other = a_user(transactions)
    kept = a_document(transactions, other)
    assert set(rows_left(sql, owner).values()) == {1}, "the test would prove nothing"
    leave(transactions, owner)
    assert set(rows_left(sql, owner).values()) == {0}
    assert sql("select count(*) from refresh_tokens") == [(0,)]
    assert [one.item_id for one in lease(transactions) if one.deleted] == [document_id]
    with transactions.owner(other) as work:
        assert work.documents.get(kept.id) == kept
    leave(transactions, owner)


def test_a_tombstone_keeps_its_place_and_its_revision(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    with transactions.owner(owner) as work:
        delete(work)
    before = sql("select * from index_entries")
    leave(transactions, owner)
    assert sql("select * from index_entries") == before


def test_the_address_may_register_again(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    leave(transactions, owner)
    again = a_user(transactions, "ADA@example.org")
    with transactions.sign_in() as work:
        credential = work.credential("ada@example.org")
    assert credential is not None
    assert credential.user.id == again.user_id != owner.user_id


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


def test_a_large_account_may_take_longer_than_a_statement_usually_may(
    owner: Principal, database_url: str, sql: RunSql
) -> None:
    """Neither the server nor the client gives up; the account seems large by triggers that nap."""
    for table, event, seconds in (("users", "delete", 0.3), ("index_entries", "update", 2.3)):
        nap = f"begin perform pg_sleep({seconds}); return coalesce(new, old); end"
        sql(f"create function nap_{table}() returns trigger language plpgsql as $$ {nap} $$")
        sql(
            f"create trigger nap before {event} on {table}"
            f" for each row execute function nap_{table}()"
        )
    engine = create_engine(database_url)
    leave(PostgresTransactions(engine, limits=TimeLimits(statement=0.2)), owner)
    assert set(rows_left(sql, owner).values()) == {0}
    engine.dispose()


def test_whatever_belongs_to_an_account_is_declared_to_go_with_it() -> None:
    """A new kind of resource joins by its foreign key; one that forgets it fails here."""
    belonging = {users}
    for table in metadata.sorted_tables:
        keys = [key for key in table.foreign_keys if key.column.table in belonging]
        if keys:
            belonging.add(table)
        assert {key.ondelete for key in keys} <= {"CASCADE", "SET NULL"}, table.name
        owned = {"owner_id", "user_id"} & set(table.columns.keys())
        if owned and table is not index_entries:
            referring = {key.parent.name for key in keys if key.column is users.c.id}
            assert owned <= referring, f"{table.name} does not refer to its owner's account"


def test_only_ones_own_account_can_be_deleted(
    transactions: PostgresTransactions, owner: Principal, database_url: str, sql: RunSql
) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(a_user(transactions).user_id)},
        )
        assert connection.execute(sa.text("delete from users")).rowcount == 1
    assert rows_left(sql, owner)["users"] == 1
