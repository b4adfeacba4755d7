"""A real PostgreSQL for every test that asks for one, with a database of its own.

One server a test process, one migrated template, one clone of it a test. Heavy modules are
imported only when a fixture is used, so that the unit tests stay fast. fsync is off: no test here
pulls the plug.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from atom_backend.relational.embedded import EmbeddedServer
    from atom_backend.relational.provision import DatabaseUrls
    from atom_backend.relational.transactions import PostgresTransactions
    from tests.provider.running import RunningProvider

RunSql = Callable[..., list[Any]]

STORE_ID = uuid.UUID("01900000-0000-7000-8000-000000000001")
"""Of the LanceDB store of every test's database, and of the folders that ``tests/stores`` makes."""

_NEEDED_MEMORY = 1 << 30
_FAST = ("fsync", "synchronous_commit", "full_page_writes")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[EmbeddedServer]:
    """A running server, outside pytest's own folder, which is closed to the server's account."""
    from atom_backend.relational.embedded import start_embedded

    with tempfile.TemporaryDirectory(prefix="atom-test-", dir=_roomiest()) as made:
        Path(made).chmod(0o755)
        server = start_embedded(Path(made) / "postgresql")
        for setting in _FAST:
            run_sql(server.url(), f"alter system set {setting} = off")
        run_sql(server.url(), "select pg_reload_conf()")
        yield server
        server.close()
        _wait_until_stopped(server)


@pytest.fixture(scope="session")
def template(postgresql: EmbeddedServer) -> DatabaseUrls:
    """The migrated database that the others are cloned from; nothing more may be written to it."""
    from atom_backend.relational.provision import provision

    urls = provision(postgresql)
    run_sql(urls.owner, "insert into vector_store values (true, :id, 1)", id=STORE_ID)
    return urls


@pytest.fixture
def database(postgresql: EmbeddedServer, template: DatabaseUrls) -> Iterator[DatabaseUrls]:
    """This test's own database."""
    from atom_backend.relational.provision import DatabaseUrls

    name = f"test_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name} template atom")
    yield DatabaseUrls(postgresql.url(database=name), postgresql.url("atom_login", name))
    run_sql(postgresql.url(), f"drop database if exists {name} with (force)")


@pytest.fixture
def database_url(database: DatabaseUrls) -> str:
    """What the service under test connects with."""
    return database.service


@pytest.fixture
def transactions(database_url: str) -> Iterator[PostgresTransactions]:
    from atom_backend.relational.engine import create_engine
    from atom_backend.relational.transactions import PostgresTransactions

    engine = create_engine(database_url)
    yield PostgresTransactions(engine)
    engine.dispose()


@pytest.fixture
def sql(database: DatabaseUrls) -> RunSql:
    """Run a statement as the superuser, behind the service's back; its rows as a list."""

    def run(statement: str, **parameters: Any) -> list[Any]:
        return run_sql(database.owner, statement, **parameters)

    return run


@pytest.fixture(scope="session")
def provider_process() -> Iterator[RunningProvider]:
    from tests.provider.running import RunningProvider

    with RunningProvider() as running:
        yield running


@pytest.fixture
def oauth_server(provider_process: RunningProvider) -> RunningProvider:
    """A real OAuth provider that behaves well and has counted nothing yet."""
    provider_process.reset()
    return provider_process


def run_sql(url: str, statement: str, **parameters: Any) -> list[Any]:
    """Run one statement outside a transaction, on a connection of its own."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(sa.text(statement), parameters)
        return list(result) if result.returns_rows else []


def _roomiest() -> str:
    """Memory where there is enough of it: containers often have 64 MB."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _NEEDED_MEMORY:
        return str(memory)
    return tempfile.gettempdir()


def _wait_until_stopped(server: EmbeddedServer) -> None:
    until = time.monotonic() + 30
    while server.alive() and time.monotonic() < until:
        time.sleep(0.02)
