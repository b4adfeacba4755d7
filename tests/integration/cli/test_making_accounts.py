"""``admin create``: accounts of roles that nobody can register for."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from atom_backend.cli import cli
from tests.conftest import RunSql


@pytest.mark.parametrize(
    ("arguments", "role", "called"),
    [
        ((), "admin", "Administrator"),
        (("--role", "service"), "service", "The service"),
        (("--role", "user"), "user", "The user"),
    ],
)
def test_an_account_is_made_for_what_it_is_for(
    terminal: CliRunner, sql: RunSql, arguments: tuple[str, ...], role: str, called: str
) -> None:
    given = ["admin", "create", "new@example.org", "--password", "correct horse battery"]
    done = terminal.invoke(cli, [*given, *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{called} new@example.org has the id ")
    assert [tuple(row) for row in sql("select role from users")] == [(role,)]
