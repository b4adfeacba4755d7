"""Commands on stores of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from atom_backend.relational.provision import DatabaseUrls


@pytest.fixture
def terminal(database: DatabaseUrls, tmp_path: Path) -> CliRunner:
    """Runs commands as an operator does, on this test's database and folder."""
    return CliRunner(
        env={
            "DATABASE_URL": database.service,
            "ATOM_MIGRATION_DATABASE_URL": database.owner,
            "ATOM_SIGNING_KEY": "k" * 32,
            "ATOM_DATA_DIR": str(tmp_path),
        }
    )
