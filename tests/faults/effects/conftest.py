"""Both stores, shared by the tests of a module; each test begins with empty ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import run_sql
from tests.faults.effects.processes import Place, Processes
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.making import a_user
from tests.stores import open_store, prepare


@pytest.fixture(scope="module")
def place(
    postgresql: EmbeddedServer, template: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Where both stores are: a database and a folder of this module's own."""
    name = f"effects_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name} template atom")
    folder = tmp_path_factory.mktemp("effects")
    yield Place(
        owner_database=postgresql.url(database=name),
        database=postgresql.url("atom_login", name),
        lance=prepare(folder / "lancedb"),
        log=folder / "log",
    )
    run_sql(postgresql.url(), f"drop database if exists {name} with (force)")


@pytest.fixture(scope="module")
def furnished(place: Place) -> Iterator[Stage]:
    """The stage of this module, open."""
    engine = create_engine(place.database)
    transactions = PostgresTransactions(engine)
    with closing(open_store(place.lance)) as vectors:
        yield Stage(transactions, vectors, place.lance, place.sql, a_user(transactions))
    engine.dispose()


@pytest.fixture
def stage(furnished: Stage) -> Iterator[Stage]:
    """Nothing is in either store but a user without documents."""
    yield replace(furnished, owner=a_user(furnished.transactions))
    items = [row.item_id for row in furnished.sql("select item_id from index_entries")]
    furnished.vectors.drop_items(items)
    furnished.sql("delete from users")
    furnished.sql("delete from index_entries")


@pytest.fixture
def user(stage: Stage) -> User:
    return User.registered(stage)


@pytest.fixture
def users(stage: Stage) -> Callable[[], User]:
    return lambda: User.registered(stage)


@pytest.fixture
def processes(place: Place) -> Iterator[Processes]:
    """Real processes on the stores; none outlives the test, and none may log an error."""
    with Processes(place) as processes:
        yield processes
