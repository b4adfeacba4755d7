"""Migrations make the schema that the code knows, for every kind of login that may run them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from atom_backend.domain.search import SearchFilter
from atom_backend.errors import ConfigurationError, DatabaseUnavailable
from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.locks import lock, turn
from atom_backend.relational.migrate import current_revision, head_revision, migrate
from atom_backend.relational.provision import DatabaseUrls, provision
from atom_backend.relational.resource_tables import TABLES
from atom_backend.relational.roles import DEFINER, SERVICE_ROLES
from atom_backend.relational.tables import metadata
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql, run_sql
from tests.integration.relational.queue import lease
from tests.integration.relational.racing import together
from tests.making import a_document, a_user


@pytest.fixture
def empty(postgresql: EmbeddedServer) -> Iterator[str]:
    """The name of a database without anything in it."""
    name = f"empty_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name}")
    yield name
    run_sql(postgresql.url(), f"drop database {name} with (force)")


@pytest.fixture
def ordinary(postgresql: EmbeddedServer, empty: str) -> Iterator[str]:
    """A login without special rights that owns the empty database."""
    name = f"login_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create role {name} login")
    run_sql(postgresql.url(), f"alter database {empty} owner to {name}")
    yield name
    run_sql(postgresql.url(database=empty), f"drop owned by {name} cascade")
    run_sql(postgresql.url(), f"alter database {empty} owner to postgres")
    run_sql(postgresql.url(), f"drop role {name}")


def test_the_tables_in_code_equal_the_migrated_schema(database: DatabaseUrls) -> None:
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert metadata.tables.keys() > TABLES.keys()
        assert compare_metadata(context, metadata) == []


def test_the_template_is_at_the_newest_revision(database: DatabaseUrls) -> None:
    engine = create_engine(database.service, max_connections=0)
    assert current_revision(engine) == head_revision()


def test_an_empty_database_has_no_revision_and_then_the_newest(
    postgresql: EmbeddedServer, empty: str
) -> None:
    url = postgresql.url(database=empty)
    engine = create_engine(url, max_connections=0)
    assert current_revision(engine) is None
    assert migrate(url) == head_revision() == current_revision(engine)
    assert migrate(url) == head_revision(), "a second run has nothing to do"


def test_concurrent_migrations_take_turns(postgresql: EmbeddedServer, empty: str) -> None:
    url = postgresql.url(database=empty)
    assert set(together(lambda _: migrate(url), 4)) == {head_revision()}


def test_a_migration_waits_for_its_turn_only_so_long(
    postgresql: EmbeddedServer, empty: str
) -> None:
    url = postgresql.url(database=empty)
    with create_engine(url, max_connections=0).begin() as other:
        lock(other, "migrate")
        with pytest.raises(DatabaseUnavailable):
            migrate(url, lock_timeout=0.05)


def test_a_failed_migration_leaves_the_database_as_it_was(
    postgresql: EmbeddedServer, empty: str
) -> None:
    url = postgresql.url(database=empty)
    run_sql(url, "create table probes (id int)")
    with pytest.raises(ConfigurationError):
        migrate(url)
    assert (
        run_sql(url, "select relname from pg_class where relname in ('users', 'documents')") == []
    )


def test_migrations_are_found_from_any_working_directory(
    postgresql: EmbeddedServer, empty: str, tmp_path: Path
) -> None:
    script = "import sys; from atom_backend.relational.migrate import migrate; migrate(sys.argv[1])"
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, "-c", script, postgresql.url(database=empty)],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def test_a_login_that_may_not_create_roles_learns_what_an_administrator_must_run(
    postgresql: EmbeddedServer, template: Any, empty: str, ordinary: str
) -> None:
    url = postgresql.url(ordinary, empty)
    with pytest.raises(ConfigurationError) as refusal:
        migrate(url)
    asked = str(refusal.value).partition("Let an administrator run: ")[2]
    assert asked.startswith("create role atom_app nologin;")
    run_sql(postgresql.url(), asked.partition("create role atom_reader nologin; ")[2])
    assert migrate(url) == head_revision()


def test_one_ordinary_login_can_migrate_and_serve_and_is_walled_in_all_the_same(
    postgresql: EmbeddedServer, template: Any, empty: str, ordinary: str
) -> None:
    run_sql(postgresql.url(), f"alter role {ordinary} createrole")
    roles = ", ".join((*SERVICE_ROLES, DEFINER))
    run_sql(postgresql.url(), f"grant {roles} to {ordinary} with admin option")
    url = postgresql.url(ordinary, empty)
    migrate(url)
    engine = create_engine(url, max_connections=2)
    transactions = PostgresTransactions(engine)
    owner = a_user(transactions)
    document = a_document(transactions, owner, "the moon")
    with transactions.owner(owner) as work:
        (match,) = work.items.search("moon", frozenset(), SearchFilter(), limit=1, offset=0)
    assert match.item_id == document.id
    assert [one.item_id for one in lease(transactions)] == [document.id]
    transactions.probe()
    engine.dispose()


def test_a_database_that_is_not_utf8_is_refused(postgresql: EmbeddedServer) -> None:
    name = f"latin_{uuid.uuid4().hex}"
    run_sql(
        postgresql.url(),
        f"create database {name} encoding 'LATIN1' locale_provider libc locale 'C'"
        " template template0",
    )
    try:
        with pytest.raises(ConfigurationError, match="LATIN1"):
            migrate(postgresql.url(database=name))
    finally:
        run_sql(postgresql.url(), f"drop database {name}")


def test_turns_are_taken_and_waited_for_only_so_long(database_url: str) -> None:
    with turn(database_url, "a"):
        with turn(database_url, "b"):
            pass
        with pytest.raises(DatabaseUnavailable), turn(database_url, "a", seconds=0.05):
            pass
    with turn(database_url, "a", seconds=0.5):
        pass


def test_a_login_outside_the_roles_learns_which_it_needs(
    postgresql: EmbeddedServer, template: Any, empty: str, ordinary: str
) -> None:
    migrate(postgresql.url(database=empty))
    engine = create_engine(postgresql.url(ordinary, empty), max_connections=0)
    with pytest.raises(ConfigurationError, match="atom_auditor and atom_vault"):
        PostgresTransactions(engine).probe()


def test_provisioning_again_and_at_the_same_time_changes_nothing(
    postgresql: EmbeddedServer, template: DatabaseUrls
) -> None:
    assert set(together(lambda _: provision(postgresql), 3)) == {template}


def test_the_services_login_is_no_superuser_and_inherits_nothing(sql: RunSql) -> None:
    (row,) = sql("select * from pg_roles where rolname = 'atom_login'")
    assert (row.rolsuper, row.rolcreaterole, row.rolbypassrls) == (False, False, False)
    assert (row.rolinherit, row.rolcanlogin) == (False, True)
