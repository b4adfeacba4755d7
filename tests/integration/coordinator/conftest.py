"""A stage a test: a PostgreSQL database and a LanceDB folder of its own, one account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
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
