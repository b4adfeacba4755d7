"""A stage a test: a PostgreSQL database and a LanceDB folder of its own, one account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from atom_backend.domain.consistency import ConsistencyRun, RunOrder
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.coordinator.looking import Ask, Read
from tests.integration.coordinator.stage import Stage
from tests.making import a_user
from tests.stores import open_store, prepare


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared tables, to be copied; nothing may be written to them."""
    return prepare(tmp_path_factory.mktemp("empty") / "lancedb")


@pytest.fixture
def stage(
    transactions: PostgresTransactions, sql: RunSql, empty_tables: Path, tmp_path: Path
) -> Iterator[Stage]:
    lance = Path(shutil.copytree(empty_tables, tmp_path / "lancedb"))
    with closing(open_store(lance)) as vectors:
        yield Stage(transactions, vectors, lance, sql, a_user(transactions))


@pytest.fixture
def admin(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions, role=Role.ADMIN)


@pytest.fixture
def ask(transactions: PostgresTransactions, admin: Principal) -> Ask:
    def ask(order: RunOrder) -> UUID:
        with transactions.owner(admin) as work:
            return work.consistency.request(order).id

    return ask


@pytest.fixture
def read(transactions: PostgresTransactions, admin: Principal) -> Read:
    def read(run_id: UUID) -> ConsistencyRun:
        with transactions.owner(admin) as work:
            return work.consistency.get(run_id)

    return read
