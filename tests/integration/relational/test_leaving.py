"""Leaving: an account goes with everything of its own, and with nothing of another's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.search import SearchFilter
from atom_backend.relational.audit import audit_entries
from atom_backend.relational.engine import create_engine
from atom_backend.relational.erasures import erasures
from atom_backend.relational.tables import index_entries, items, metadata, users
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from tests.conftest import RunSql
from tests.integration.relational.leaving import an_account_with_everything, leave, rows_left
from tests.integration.relational.queue import lease
from tests.making import a_document, a_user


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return an_account_with_everything(transactions)


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
        assert work.records(DOCUMENTS).get(kept.id) == kept
    leave(transactions, owner)


def test_a_tombstone_keeps_its_place_and_its_revision(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    with transactions.owner(owner) as work:
        (document_id,) = work.items.matching(SearchFilter(), limit=2)
        work.records(DOCUMENTS).remove(document_id)
        work.index.bury(document_id)
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
        if owned and table not in {index_entries, audit_entries, erasures}:
            owners = {users.c.id, items.c.owner_id}
            referring = {key.parent.name for key in keys if key.column in owners}
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
