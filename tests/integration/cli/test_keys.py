"""``keys``: what operators see and how it ends."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from atom_backend.cli import cli, main
from atom_backend.domain.principals import Principal
from atom_backend.errors import Conflict, NotFound, VaultUnavailable
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.services.grants import a_grant
from tests.making import a_user
from tests.vaults import OTHER_KEY, VAULT_KEY, a_vault, sealer

OLD, NEW = VAULT_KEY, OTHER_KEY
OLD_ID, NEW_ID = (sealer(key).key_ids[0] for key in (OLD, NEW))


@pytest.fixture
def owner(transactions: PostgresTransactions, sql: RunSql) -> Principal:
    """With two grants under the old key."""
    owner = a_user(transactions)
    vault = a_vault(transactions, OLD)
    for _ in range(2):
        a_grant(sql, vault, owner)
    return owner


def keys(terminal: CliRunner, *arguments: str, given: str = "") -> Result:
    environment = {"ATOM_OAUTH_ENCRYPTION_KEYS": given}
    return terminal.invoke(cli, ["keys", *arguments], env=environment)


def test_a_generated_key_is_one_that_the_service_takes(terminal: CliRunner) -> None:
    made = [keys(terminal, "generate").stdout.strip() for _ in range(2)]
    assert made[0] != made[1]
    for key in made:
        assert keys(terminal, "status", given=key).exit_code == 0


def test_keys_are_changed_step_by_step_until_the_old_one_can_go(
    terminal: CliRunner, owner: Principal
) -> None:
    before = keys(terminal, "status", given=f"{NEW},{OLD}")
    assert before.exit_code == 0
    assert before.stdout.splitlines() == [
        f"{NEW_ID}  writes: nothing is under it",
        f"{OLD_ID}  reads: 2 in oauth_grants.access_token, 2 in oauth_grants.refresh_token, "
        "1 in vault_canary.sealed",
    ]
    assert isinstance(keys(terminal, "retire", OLD_ID, given=f"{NEW},{OLD}").exception, Conflict)
    rotated = keys(terminal, "rotate", given=f"{NEW},{OLD}")
    assert (rotated.exit_code, "2 rows were rewrapped" in rotated.stdout) == (0, True)
    retired = keys(terminal, "retire", OLD_ID.upper(), given=f"{NEW},{OLD}")
    assert (retired.exit_code, "Nothing is sealed" in retired.stdout) == (0, True)
    after = keys(terminal, "status", "--json", given=NEW)
    (key,) = json.loads(after.stdout)["keys"]
    assert (key["id"], key["writes"], key["secrets"]["oauth_grants.access_token"]) == (
        NEW_ID,
        True,
        2,
    )
    for said in (before, rotated, retired, after):
        assert OLD not in said.output
        assert NEW not in said.output


@pytest.mark.parametrize("given", [NEW, ""], ids=["wrong", "none"])
def test_a_key_that_is_missing_in_the_keyring_is_flagged_and_nothing_rotated(
    terminal: CliRunner, owner: Principal, given: str
) -> None:
    found = keys(terminal, "status", given=given)
    assert (found.exit_code, f"{OLD_ID}  MISSING in the keyring" in found.stdout) == (1, True)
    assert isinstance(keys(terminal, "rotate", given=given).exception, VaultUnavailable)


def test_what_does_not_open_is_named_and_makes_the_rotation_incomplete(
    terminal: CliRunner, owner: Principal, sql: RunSql
) -> None:
    sql("update oauth_grants set refresh_token = access_token")
    rotated = keys(terminal, "rotate", given=f"{NEW},{OLD}")
    assert rotated.exit_code == 1
    assert "2 secrets did not open" in rotated.stdout
    assert "oauth_grants.refresh_token of the row" in rotated.stderr


def test_a_wrong_key_ends_like_any_wrong_setting(
    terminal: CliRunner,
    owner: Principal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**terminal.env, "ATOM_OAUTH_ENCRYPTION_KEY": NEW}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr("sys.argv", ["atom_backend", "keys", "rotate"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78
    said = capsys.readouterr().err
    assert "The key of the token vault is wrong" in said
    assert OLD_ID in said


def test_a_key_id_that_nobody_knows_is_told_the_known_ones(terminal: CliRunner) -> None:
    refused = keys(terminal, "retire", "abc", given=OLD)
    assert isinstance(refused.exception, NotFound)
    assert OLD_ID in refused.exception.message


def test_an_empty_vault_without_a_key_says_so(terminal: CliRunner) -> None:
    found = keys(terminal, "status")
    assert (found.exit_code, found.stdout) == (0, "There is no key, and nothing is sealed.\n")
