"""What each database role may not do: row-level security and rights hold without our code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.permissions import Role, Scope
from atom_backend.domain.principals import Principal
from atom_backend.relational.tables import metadata
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.making import a_document, a_message, a_user, an_entry


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    """An owner with a row in every table."""
    owner = a_user(transactions)
    a_document(transactions, owner)
    a_message(transactions, owner)
    with transactions.owner(owner) as work:
        work.idempotency.store("key", StoredResponse(b"", 200, {}, b""))
        work.api_keys.add(new_id(), bytes(32), "a key", frozenset({Scope.SEARCH}), None)
    session_id = new_id()
    with transactions.sign_in() as signing_in:
        signing_in.open_session(session_id, owner.user_id, None)
        signing_in.add_refresh_token(refresh_digest("t"), session_id, datetime.now(UTC))
    transactions.probe()
    return owner


@pytest.fixture
def login(database_url: str) -> Iterator[sa.Connection]:
    """The service's own login, before it switches to a role."""
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def become(login: sa.Connection, role: str, owner_id: UUID | str = "") -> None:
    login.rollback()
    login.execute(
        sa.text("select set_config('role', :role, true), set_config('atom.owner_id', :id, true)"),
        {"role": role, "id": str(owner_id)},
    )


def refused(login: sa.Connection, statement: str) -> bool:
    """Whether PostgreSQL refuses this for want of a right or because of a policy."""
    with login.begin_nested() as savepoint:
        try:
            login.execute(sa.text(statement))
        except sa.exc.ProgrammingError as error:
            savepoint.rollback()
            return getattr(error.orig, "pgcode", None) == "42501"
    return False


def count(login: sa.Connection, table: str) -> int:
    return int(login.scalar(sa.text(f"select count(*) from {table}")) or 0)


TABLES = sorted(metadata.tables)
OWNED = (
    *("items", "documents", "messages", "message_ids", "conversations"),
    *("index_entries", "idempotency_keys", "sessions", "api_keys"),
)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_forces_row_level_security(sql: RunSql, table: str) -> None:
    asked = "select relrowsecurity and relforcerowsecurity from pg_class where relname = :t"
    assert sql(asked, t=table) == [(True,)]


@pytest.mark.parametrize("table", TABLES)
def test_the_login_itself_can_read_nothing(
    owner: Principal, login: sa.Connection, table: str
) -> None:
    assert refused(login, f"select from {table}")


def test_without_an_owner_the_application_sees_no_row(
    owner: Principal, login: sa.Connection
) -> None:
    become(login, "atom_app")
    for table in ("users", *OWNED):
        assert count(login, table) == 0


def test_another_owner_sees_no_row_and_changes_none(
    transactions: PostgresTransactions, owner: Principal, login: sa.Connection
) -> None:
    become(login, "atom_app", owner.user_id)
    for table in ("users", *OWNED):
        assert count(login, table) > 0, "the test would prove nothing with empty tables"
    become(login, "atom_app", a_user(transactions).user_id)
    for table in OWNED:
        assert count(login, table) == 0
    for change in (
        "update items set title = 'mine'",
        "delete from items",
        "update documents set content_type = 'mine'",
        "delete from documents",
        "update messages set body = 'mine'",
        "update conversations set unread = 0",
        "delete from message_ids",
        "update sessions set revoked_at = now()",
        "delete from api_keys",
        "update index_entries set deleted = true",
        f"update users set display_name = 'mine' where id = '{owner.user_id}'",
    ):
        assert login.execute(sa.text(change)).rowcount == 0


def test_nobody_can_write_in_another_owners_name(
    transactions: PostgresTransactions, owner: Principal, login: sa.Connection
) -> None:
    item_id = an_entry(transactions, owner)
    become(login, "atom_app", a_user(transactions).user_id)
    columns = "(item_id, owner_id, kind, revision, state, due_at, requested_at)"
    row = "'{0}', '{1}', 'document', 1, 'due', now(), now()"
    foreign = row.format(new_id(), owner.user_id)
    assert refused(login, f"insert into index_entries {columns} values ({foreign})")
    taken = row.format(item_id, login.scalar(sa.text("select atom_owner()")))
    assert refused(
        login,
        f"insert into index_entries {columns} values ({taken})"
        " on conflict (item_id) do update set revision = 9",
    )
    own = row.format(new_id(), login.scalar(sa.text("select atom_owner()")))
    assert not refused(login, f"insert into index_entries {columns} values ({own})")
    assert refused(login, f"update index_entries set owner_id = '{owner.user_id}'")


AUDIT = [
    "insert into audit_entries (action, resource, item_id) values ('create', 'tasks', null)",
    "update audit_entries set user_id = null",
    "delete from audit_entries",
    "truncate audit_entries",
]
FORBIDDEN = {
    "atom_app": [
        "select from credentials",
        "select from refresh_tokens",
        "insert into sessions (id, user_id) values (gen_random_uuid(), atom_owner())",
        "update sessions set expires_at = now()",
        "delete from sessions",
        "select digest from api_keys",
        "update api_keys set scopes = '{search}'",
        "update api_keys set last_used_at = now()",
        "select from probes",
        "insert into users (id, email, normalized_email, role) values (null, '', '', 'user')",
        "update users set role = 'admin'",
        "update users set email = 'x'",
        "delete from index_entries",
        "delete from idempotency_keys",
        "select nextval('lease_fence')",
        "select from consistency_totals",
        "update consistency_runs set state = 'done'",
        "delete from consistency_runs",
        "insert into consistency_runs (id, kind, state) values (null, 'check', 'queued')",
        "insert into erasures (id, owner_id, items_total) values (null, gen_random_uuid(), 0)",
        "update erasures set completed_at = now()",
        "delete from erasures",
        *AUDIT,
    ],
    "atom_auth": [
        "select from erasures",
        "select from audit_entries",
        *AUDIT[1:],
        "select from items",
        "select from documents",
        "select from index_entries",
        "select from idempotency_keys",
        "select from consistency_runs",
        f"select from atom_find_items('x', {', '.join(['null'] * 9)}, 9, 0)",
        "update users set email = 'x'",
        "delete from users",
        "delete from sessions",
        "update sessions set user_id = id",
        "update api_keys set scopes = '{search}'",
        "update api_keys set digest = digest",
        "delete from api_keys",
        "delete from refresh_tokens",
        "update refresh_tokens set expires_at = now()",
    ],
    "atom_worker": [
        "select from users",
        "select from credentials",
        "select user_id from sessions",
        "select from api_keys",
        "select digest from refresh_tokens",
        "select body from idempotency_keys",
        "update items set title = 'x'",
        "delete from items",
        "update refresh_tokens set used_at = null",
        "create table mine (id int)",
        "delete from consistency_totals",
        "update erasures set items_total = 0",
        "delete from erasures",
        "select from audit_entries",
        *AUDIT,
    ],
    "atom_vault": [
        "select from users",
        "select from credentials",
        "select from sessions",
        "select from items",
        "select from audit_entries",
        *AUDIT,
        "select provider from oauth_grants",
        "select state_digest from oauth_flows",
        "update oauth_grants set owner_id = id",
        "update oauth_flows set expires_at = now()",
        "delete from oauth_grants",
        "delete from oauth_flows",
        "delete from vault_canary",
        "update vault_canary set created_at = now()",
    ],
}
EVERY_FORBIDDEN = [(role, one) for role, several in FORBIDDEN.items() for one in several]


@pytest.mark.parametrize(("role", "statement"), EVERY_FORBIDDEN)
def test_a_role_is_refused_what_is_not_its_work(
    owner: Principal, login: sa.Connection, role: str, statement: str
) -> None:
    become(login, role, owner.user_id)
    assert refused(login, statement)


def test_an_administrator_asks_in_no_other_name_and_for_nothing_but_a_run(
    transactions: PostgresTransactions, owner: Principal, login: sa.Connection
) -> None:
    admin = a_user(transactions, role=Role.ADMIN)
    become(login, "atom_app", admin.user_id)
    asked = "insert into consistency_runs (id, kind, state, requested_by, finished_at, reason)"
    given = "values (gen_random_uuid(), 'check', '{}', '{}', {}, 'x')"
    assert refused(login, f"{asked} {given.format('queued', owner.user_id, 'null')}")
    assert refused(login, f"{asked} {given.format('failed', admin.user_id, 'now()')}")
    assert not refused(login, f"{asked} {given.format('queued', admin.user_id, 'null')}")
    assert count(login, "consistency_runs") == 1
    become(login, "atom_app", owner.user_id)
    assert count(login, "consistency_runs") == 0


def test_a_role_ends_with_its_transaction(owner: Principal, login: sa.Connection) -> None:
    become(login, "atom_app", owner.user_id)
    login.commit()
    assert login.scalar(sa.text("select current_user")) == "atom_login"
    assert not login.scalar(sa.text("select current_setting('atom.owner_id', true)"))


def test_the_worker_sees_every_owners_documents_and_entries(
    transactions: PostgresTransactions, owner: Principal, login: sa.Connection
) -> None:
    a_document(transactions, a_user(transactions))
    become(login, "atom_worker")
    assert (count(login, "items"), count(login, "index_entries")) == (3, 3)
