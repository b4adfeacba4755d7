"""Triggers leave the audit entries: no table is forgotten, and no entry is made twice."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.audit import AuditListing
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.errors import Conflict
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.walls import walled
from tests.conftest import RunSql, run_sql
from tests.integration.relational.leaving import leave
from tests.making import a_document, a_draft, a_user

NO_RECORDS = {
    "index_entries": "what the index shall hold follows from the records",
    "conversations": "who belongs together follows from the messages",
    "message_ids": "what messages name each other by follows from them",
    "idempotency_keys": "answers that were given already",
    "sessions": "who is logged in; nothing that is kept",
    "erasures": "the removal of an account, which is audited itself",
    "oauth_flows": "the service notes what is begun and finished, and by whom",
    "consistency_runs": "a run says itself who asked for it",
}

WRITABLE = """
    select c.relname as name,
        exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
            where t.tgrelid = c.oid and p.proname like 'atom\\_audit%') as audited,
        exists (select from pg_constraint f where f.conrelid = c.oid
            and f.confrelid = 'items'::regclass and array_length(f.conkey, 1) = 2) as part_of_item
    from pg_class c
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and has_any_column_privilege('atom_app', c.oid, 'insert, update')
"""


def entries(sql: RunSql, item_id: UUID | None = None) -> list[tuple[str, str, int | None]]:
    rows = sql(
        "select action, resource, revision from audit_entries"
        " where item_id = :id or :id is null order by id",
        id=item_id,
    )
    return [tuple(row) for row in rows]


def test_every_table_that_the_application_writes_is_audited_or_says_why_not(sql: RunSql) -> None:
    tables = {row.name: row.audited or row.part_of_item for row in sql(WRITABLE)}
    assert {name for name, told in tables.items() if not told} == NO_RECORDS.keys()
    assert {"items", "tasks", "users"} <= tables.keys(), "the question found too little"


def test_a_table_with_revisions_is_audited_once_it_is_walled(
    transactions: PostgresTransactions, sql: RunSql, database_url: str
) -> None:
    """What goes with another record is told; what goes with its account is told by the account."""
    columns = "id uuid primary key, owner_id uuid not null references users on delete cascade"
    sql(f"create table shelves ({columns}, revision bigint not null default 1)")
    sql(
        f"create table books ({columns}, revision bigint not null default 1,"
        " shelf_id uuid references shelves on delete cascade)"
    )
    for table in ("shelves", "books"):
        sql(walled(table))
    owner = a_user(transactions)
    for shelf, book in ((new_id(), new_id()), (new_id(), new_id())):
        sql("insert into shelves values (:id, :owner)", id=shelf, owner=owner.user_id)
        sql("insert into books values (:b, :o, 1, :s)", b=book, o=owner.user_id, s=shelf)
    assert entries(sql, book) == [("create", "books", 1)]
    sql("delete from shelves where id = :id", id=shelf)
    assert entries(sql, book)[1:] == [("remove", "books", 1)]
    assert entries(sql, shelf)[1:] == [("remove", "shelves", 1)]
    before = entries(sql)
    leave(transactions, owner)
    assert entries(sql)[len(before) :] == [("remove", "users", None)]


def test_an_account_that_goes_with_everything_is_one_entry_and_the_others_stay(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    made = [a_document(transactions, owner, f"Number {n}.").id for n in range(3)]
    leave(transactions, owner)
    told = [("create", "users", None), *[("create", "document", 1)] * 3, ("remove", "users", None)]
    assert entries(sql) == told
    rows = sql("select item_id, user_id from audit_entries order by id")
    assert [row.item_id for row in rows] == [owner.user_id, *made, owner.user_id]
    assert [row.user_id for row in rows] == [None, *[owner.user_id] * 4]


def test_what_was_not_written_after_all_leaves_no_entry(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    before = entries(sql)

    def broken_off() -> None:
        with transactions.owner(owner) as work:
            work.records(DOCUMENTS).add(new_id(), a_draft())
            raise Conflict()

    with pytest.raises(Conflict):
        broken_off()
    assert entries(sql) == before


def test_only_an_administrator_sees_entries(transactions: PostgresTransactions) -> None:
    owner, admin = a_user(transactions), a_user(transactions, role=Role.ADMIN)
    document = a_document(transactions, owner)

    def seen(by: Principal) -> list[UUID]:
        with transactions.owner(by) as work:
            return [one.item_id for one in work.audit.listing(AuditListing(limit=9))]

    assert seen(owner) == []
    assert seen(admin) == [document.id, admin.user_id, owner.user_id]


def test_the_login_cannot_write_entries_under_any_role_that_it_may_take(
    transactions: PostgresTransactions, database_url: str, sql: RunSql
) -> None:
    """Triggers insert in the name of a role that it cannot take; nobody may do more."""
    a_user(transactions)
    rights = sql(
        "select rolname, may from pg_roles, unnest(array['insert', 'update', 'delete',"
        " 'truncate', 'references', 'trigger']) as may where rolname like 'atom\\_%'"
        " and has_table_privilege(pg_roles.oid, 'audit_entries', may) order by 1, 2"
    )
    assert [tuple(row) for row in rights] == [("atom_definer", "insert")]
    with pytest.raises(sa.exc.ProgrammingError):
        run_sql(database_url, "delete from audit_entries")
