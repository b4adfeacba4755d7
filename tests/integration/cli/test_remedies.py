"""The commands that find and mend what is out of step: what they say, and how they end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atom_backend.cli import main
from atom_backend.relational.provision import DatabaseUrls
from tests.conftest import RunSql

IN_STEP, OUT_OF_STEP, DOWN, MISCONFIGURED = 0, 1, 75, 78
PARKED = """
    insert into index_entries
        (item_id, owner_id, kind, revision, state, reason, due_at, requested_at)
    select gen_random_uuid(), gen_random_uuid(), 'document', 1, 'parked', 'too odd', now(), now()
    from generate_series(1, 13)
"""
"""No item belongs to these entries, so they are out of step, too."""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    database: DatabaseUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command in this process; its exit status and what it wrote."""
    settings = {
        "DATABASE_URL": database.service,
        "ATOM_MIGRATION_DATABASE_URL": database.owner,
        "ATOM_SIGNING_KEY": "k" * 32,
        "ATOM_DATA_DIR": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["atom_backend", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def answer(run: Run, *arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, err = run(*arguments, "--json")
    assert err == ""
    return status, json.loads(out)


def test_commands_say_what_is_wrong_and_mend_it(run: Run, sql: RunSql) -> None:
    assert run("migrate")[0] == 0
    assert answer(run, "check")[0] == IN_STEP
    sql(PARKED)
    status, found = answer(run, "check")
    assert (status, found["counts"], found["parked"]) == (OUT_OF_STEP, {"orphaned": 13}, 13)
    assert len(found["examples"]) == 10

    status, out, _ = run("retry-parked", "--dry-run")
    assert (status, out) == (0, "Would make 13 parked items due again.\n       13  too odd\n")
    assert "Made 13 parked items due again." in run("retry-parked")[1]
    assert run("retry-parked")[1] == "Nothing is parked.\n"

    status, out, _ = run("repair", "--dry-run")
    assert (status, "Would make 13 items due again" in out, "and 3 more" in out) == (0, True, True)
    assert found["examples"][0]["item_id"] in out
    status, done = answer(run, "repair")
    assert (status, done["requeued"], done["drift"]["counts"]) == (0, 13, {"orphaned": 13})
    status, out, _ = run("check")
    assert (status, "in step (13 in flight, 0 parked)" in out) == (IN_STEP, True)


def test_a_table_that_cannot_be_read_and_a_store_that_is_gone_are_told_apart(
    run: Run, tmp_path: Path
) -> None:
    assert run("migrate")[0] == 0
    lance = tmp_path / "lancedb_data"
    for manifest in lance.glob("document_chunks.lance/_versions/*"):
        manifest.write_bytes(b"not a manifest")
    status, found = answer(run, "check")
    (said,) = found["unreadable"]
    assert (status, found["counts"]) == (OUT_OF_STEP, {"corrupt": 1})
    assert "rebuild" in said
    assert run("repair")[0] == OUT_OF_STEP
    shutil.rmtree(lance)
    status, _, err = run("check")
    assert (status, err.count("\n")) == (DOWN, 1)
    assert run("repair")[0] == DOWN


def test_a_database_that_was_never_prepared_is_to_be_migrated(
    run: Run, monkeypatch: pytest.MonkeyPatch, database: DatabaseUrls
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.service.replace("atom_login", "nobody_yet"))
    status, _, err = run("retry-parked")
    assert (status, "Run migrate" in err) == (MISCONFIGURED, True)
