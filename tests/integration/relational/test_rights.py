"""The database roles may do what docs/database-roles.md says, and what else they try is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.migrate import migrate
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.roles import DEFINER, READER, admit_members
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql, run_sql
from tests.integration.relational.rights import DOCUMENT, ROLES, held, told
from tests.integration.relational.sealing import seal
from tests.making import a_document, a_user

LOGIN = "atom_login"

EVERYWHERE = [
    "set role postgres",
    "set session authorization postgres",
    "create table mine (id int)",
    "create temporary table users (id int)",
    "create function mine() returns int language sql return 1",
    "create schema mine",
    "create extension pg_trgm",
    "create role mine",
    "create database mine",
    "alter role current_user superuser",
    "alter table users disable row level security",
    "alter table users no force row level security",
    "alter table audit_entries disable trigger all",
    "drop trigger audited on users",
    "create policy mine on users using (true)",
    "set role atom_definer",
    "drop function atom_audit() cascade",
    "drop function atom_move_balances() cascade",
    "alter function atom_audit() reset search_path",
    "alter function atom_refusal(uuid, uuid, text, uuid) security invoker",
    "create or replace function atom_refusal(uuid, uuid, text, uuid) returns text"
    " language sql return null",
    "set session_replication_role = replica",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/mine'",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/mine')",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "alter system set log_statement = 'all'",
    "select rolpassword from pg_authid",
    "truncate audit_entries",
    "delete from audit_entries",
    "update audit_entries set user_id = null",
    "update audit_seals set digest = ''",
    "delete from audit_seals",
    "update audit_chain set pruned_position = 9",
    "delete from audit_chain",
    "update alembic_version set version_num = '0001'",
]
SEALING = "insert into audit_seals values (1, 1, sha256(''))"
FORBIDDEN = {
    LOGIN: ["select from users", "select from audit_entries", SEALING],
    "atom_app": [
        SEALING,
        "select from credentials",
        "select from audit_seals",
        "update accounts set balance = 9",
        "insert into audit_entries (action, resource, item_id)"
        " values ('create', 'x', gen_random_uuid())",
    ],
    "atom_auth": [
        "insert into audit_entries (action, resource, item_id)"
        " values ('create', 'x', gen_random_uuid())",
        SEALING,
        "update credentials set user_id = user_id",
        "select from items",
    ],
    "atom_worker": [SEALING, "select from credentials", "select from audit_entries"],
    "atom_auditor": [
        "insert into audit_entries (action, resource, item_id)"
        " values ('create', 'x', gen_random_uuid())",
        "select from users",
        "select from items",
        "select from credentials",
        "update audit_chain set pruned_digest = null",
    ],
    "atom_vault": [SEALING, "select state from oauth_grants", "select from users"],
    READER: [
        SEALING,
        "select from vault_canary",
        "select title from items",
        "select text from items",
        "select email from users",
        "select from credentials",
        "select from refresh_tokens",
        "select agent from sessions",
        "select digest from api_keys",
        "select name from api_keys",
        "select balance from accounts",
        "select access_token from oauth_grants",
        "select from oauth_flows",
        "select id from erasures",
        "select value from preferences",
        "select from documents",
        "select from idempotency_keys",
        "update users set role = 'admin'",
        "delete from items",
        "insert into probes values ('x', now())",
    ],
}
ATTEMPTS = [(role, one) for role in FORBIDDEN for one in (*EVERYWHERE, *FORBIDDEN[role])]


@pytest.fixture(scope="module")
def migrated(postgresql: EmbeddedServer, template: DatabaseUrls) -> Iterator[DatabaseUrls]:
    """Not a clone: rights on a database itself are not copied with it."""
    name = f"rights_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name}")
    migrate(postgresql.url(database=name))
    yield DatabaseUrls(postgresql.url(database=name), postgresql.url(LOGIN, name))
    run_sql(postgresql.url(), f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def dashboard(postgresql: EmbeddedServer, migrated: DatabaseUrls) -> Iterator[str]:
    """A login for reading, made as docs/database-roles.md says."""
    login = f"reader_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create role {login} login")
    run_sql(postgresql.url(), f"grant atom_reader to {login}")
    yield login
    run_sql(postgresql.url(), f"drop role {login}")


def test_the_document_tells_the_rights_of_every_role(sql: RunSql) -> None:
    header = " | ".join(f"`{role}`" for role in ROLES)
    assert f"| table, sequence, function | {header} | everybody |" in DOCUMENT.read_text()
    found, documented = held(sql), told()
    lines = "\n".join(sorted(found.values()))
    assert documented == found, f"docs/database-roles.md should have these lines:\n{lines}"


def test_row_level_security_is_forced_on_everything_that_has_rows(sql: RunSql) -> None:
    bare = sql(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p', 'v', 'm', 'f') and not (relrowsecurity and relforcerowsecurity)"
    )
    assert [row.relname for row in bare] == ["alembic_version"]


def test_every_policy_is_for_named_roles_and_the_applications_asks_who_is_there(
    sql: RunSql,
) -> None:
    policies = sql("select tablename, policyname, roles::text[], qual, with_check from pg_policies")
    assert len(policies) > 40
    for row in policies:
        assert set(row.roles) <= {*ROLES, "postgres"}, row
        if "atom_app" in row.roles:
            said = f"{row.qual or ''}{row.with_check or ''}"
            assert (
                "atom_owner()" in said
                or "atom_administrator()" in said
                or ("atom_named_grant()" in said and "atom_service()" in said)
            ), row


def test_functions_with_rights_of_their_own_look_nowhere_else_and_are_not_everybodys(
    sql: RunSql,
) -> None:
    functions = sql(
        "select proname, rolname, proconfig,"
        " has_function_privilege('public', p.oid, 'execute') as everybodys"
        " from pg_proc p join pg_roles on pg_roles.oid = proowner"
        " where prosecdef and pronamespace = 'public'::regnamespace"
    )
    assert len(functions) >= 6
    for row in functions:
        assert "search_path=public, pg_temp" in row.proconfig, row
        assert row.rolname == DEFINER, row
    assert [row.proname for row in functions if row.everybodys] == ["atom_refusal"]


def test_functions_of_later_migrations_are_nobodys_at_first(migrated: DatabaseUrls) -> None:
    run_sql(migrated.owner, "create function later() returns int language sql return 1")
    open_ = "select has_function_privilege('public', 'later()', 'execute')"
    assert run_sql(migrated.owner, open_) == [(False,)]


@pytest.mark.parametrize(("role", "statement"), ATTEMPTS)
def test_what_is_not_a_roles_work_is_refused(
    postgresql: EmbeddedServer, migrated: DatabaseUrls, dashboard: str, role: str, statement: str
) -> None:
    login = dashboard if role == READER else LOGIN
    url = sa.make_url(migrated.owner).set(username=login)
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if role not in (LOGIN, READER):
            connection.execute(sa.text(f"set role {role}"))
        with pytest.raises(sa.exc.DBAPIError) as refusal:
            connection.execute(sa.text(statement))
    assert getattr(refusal.value.orig, "pgcode", None) == "42501"


def test_a_reader_counts_what_is_there_and_sees_no_secret_of_any_column(
    transactions: PostgresTransactions, database: DatabaseUrls, sql: RunSql, dashboard: str
) -> None:
    owner = a_user(transactions)
    a_document(transactions, owner)
    seal(transactions)
    url = sa.make_url(database.owner).set(username=dashboard)

    def read(question: str) -> list[Any]:
        return run_sql(url.render_as_string(), question)

    assert read("select kind, count(*) from items group by kind") == [("document", 1)]
    assert read("select id from users") == [(owner.user_id,)]
    assert read("select count(*) from audit_entries join audit_seals on id = entry_id") == [(2,)]
    assert read("select state, count(*) from index_entries group by 1") == [("due", 1)]
    seen = sql(
        "select table_name || '.' || column_name as name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'bytea' and"
        " has_column_privilege('atom_reader', quote_ident(table_name), column_name, 'select')"
    )
    assert {row.name for row in seen} == {"audit_seals.digest", "audit_chain.pruned_digest"}


def test_an_upgrade_admits_the_logins_of_the_service_to_the_role_that_came_later(
    postgresql: EmbeddedServer, migrated: DatabaseUrls
) -> None:
    login = f"service_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create role {login} login noinherit")
    run_sql(postgresql.url(), f"grant atom_worker to {login}")
    engine = create_engine(migrated.owner, max_connections=0)
    with engine.begin() as connection:
        admit_members(connection, "atom_auditor")
    has = f"pg_has_role('{login}', 'atom_auditor', '{{}}')"
    asked = f"select {has.format('MEMBER')}, {has.format('USAGE')}"
    assert run_sql(postgresql.url(), asked) == [(True, False)]
    run_sql(postgresql.url(), f"drop role {login}")
