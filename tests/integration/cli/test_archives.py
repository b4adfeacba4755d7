"""The commands ``export`` and ``restore``: out of one account, and into another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from atom_backend.cli import main
from atom_backend.domain.ports import Transactions
from atom_backend.relational.provision import DatabaseUrls
from tests.conftest import RunSql
from tests.making import a_document, a_user

Run = Callable[..., bytes]


@pytest.fixture
def run(
    database: DatabaseUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Runs a command, which must succeed, in this process; what it printed."""
    for name, value in {
        "DATABASE_URL": database.service,
        "ATOM_MIGRATION_DATABASE_URL": database.owner,
        "ATOM_SIGNING_KEY": "k" * 32,
        "ATOM_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> bytes:
        monkeypatch.setattr("sys.argv", ["atom_backend", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfdbinary.readouterr()
        assert ended.value.code in {0, None}, said.err
        return said.out

    return run


def test_an_account_is_moved_by_command(
    run: Run, transactions: Transactions, sql: RunSql, tmp_path: Path
) -> None:
    run("migrate")
    old = a_user(transactions, "old@example.org")
    a_user(transactions, "new@example.org")
    document = a_document(transactions, old)
    exported = run("export", "old@example.org")
    assert json.loads(exported.splitlines()[2])["id"] == str(document.id)
    (tmp_path / "export.ndjson").write_bytes(exported)
    with transactions.owner(old) as work:
        work.account.remove()
    sql("delete from index_entries")
    said = run("restore", str(tmp_path / "export.ndjson"), "--user", "new@example.org")
    assert said == b"Restored 1 documents.\n"
    assert run("export", "new@example.org").splitlines()[2:] == exported.splitlines()[2:]
