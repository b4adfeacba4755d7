"""The canary: a wrong key is found before anything is sealed under it, and nothing else is lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import CANARY, Place, Secret, Vault
from atom_backend.errors import DatabaseUnavailable, VaultUnavailable
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.integration.services.grants import a_grant
from tests.making import a_user
from tests.vaults import OTHER_KEY, VAULT_KEY, a_vault, sealer

PLACE = Place("oauth_grants", new_id(), "access_token", new_id())
TOKEN = Secret("a token")


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def canaries(sql: RunSql) -> list[bytes]:
    return [bytes(row.sealed) for row in sql("select sealed from vault_canary")]


def refusal(vault: Vault) -> VaultUnavailable:
    """What every use of this vault raises alike."""
    refusals = []
    for use in (
        vault.require,
        lambda: vault.seal(TOKEN, PLACE),
        lambda: vault.open(sealer(VAULT_KEY).seal(TOKEN, PLACE), PLACE),
        lambda: vault.rewrap(sealer(VAULT_KEY).seal(TOKEN, PLACE), PLACE),
        lambda: vault.blind_index("account", "someone"),
        vault.probe,
    ):
        with pytest.raises(VaultUnavailable) as raised:
            use()
        refusals.append(raised.value)
    assert len({(error.code, error.message) for error in refusals}) == 1
    return refusals[0]


def test_processes_that_start_together_agree_on_one_canary(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    vaults = together(lambda _: a_vault(transactions, VAULT_KEY), 8)
    indexes = together(lambda number: vaults[number].blind_index("account", "someone"), 8)
    assert len(canaries(sql)) == len(set(indexes)) == 1
    assert a_vault(transactions, VAULT_KEY).blind_index("account", "someone") == indexes[0]


def test_the_wrong_key_seals_nothing_and_is_told_from_the_right_one(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    a_vault(transactions, VAULT_KEY).require()
    before = canaries(sql)
    error = refusal(a_vault(transactions, OTHER_KEY))
    assert error.code == "vault_key_wrong"
    for key in (VAULT_KEY, OTHER_KEY):
        assert sealer(key).key_ids[0] in error.message
        assert key not in error.message
    assert canaries(sql) == before
    a_vault(transactions, VAULT_KEY).probe()


def test_without_a_key_nothing_is_sealed_and_no_canary_made(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    error = refusal(a_vault(transactions))
    assert (error.code, "ATOM_OAUTH_ENCRYPTION_KEY" in error.message) == ("vault_key_missing", True)
    assert canaries(sql) == []


def test_a_key_that_only_reads_opens_the_canary_of_before(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    index = a_vault(transactions, VAULT_KEY).blind_index("account", "someone")
    before = canaries(sql)
    later = a_vault(transactions, OTHER_KEY, VAULT_KEY)
    later.probe()
    assert later.blind_index("account", "someone") == index
    assert canaries(sql) == before


@pytest.mark.parametrize("damage", ["overlay(sealed placing '\\x00' from 80)", "sealed || '\\x00'"])
def test_a_canary_that_was_changed_is_told_from_a_wrong_key(
    transactions: PostgresTransactions, sql: RunSql, damage: str
) -> None:
    a_vault(transactions, VAULT_KEY).require()
    sql(f"update vault_canary set sealed = {damage}")
    assert refusal(a_vault(transactions, VAULT_KEY)).code == "vault_canary_damaged"


def test_a_canary_of_another_place_does_not_pass(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    sql(
        "insert into vault_canary (id, sealed) values (:id, :sealed)",
        id=CANARY.row_id,
        sealed=sealer(VAULT_KEY).seal(TOKEN, PLACE),
    )
    assert refusal(a_vault(transactions, VAULT_KEY)).code == "vault_canary_damaged"


def test_a_canary_that_is_lost_is_not_replaced_while_anything_is_sealed(
    transactions: PostgresTransactions, sql: RunSql, owner: Principal
) -> None:
    vault = a_vault(transactions, VAULT_KEY)
    a_grant(sql, vault, owner)
    sql("delete from vault_canary")
    assert refusal(a_vault(transactions, VAULT_KEY)).code == "vault_canary_damaged"
    sql("delete from oauth_grants")
    a_vault(transactions, VAULT_KEY).require()


def test_secrets_under_a_key_that_was_taken_away_are_told_and_the_others_open(
    transactions: PostgresTransactions, sql: RunSql, owner: Principal
) -> None:
    a_vault(transactions, OTHER_KEY, VAULT_KEY).require()
    lost = a_grant(sql, a_vault(transactions, VAULT_KEY, OTHER_KEY), owner)
    kept = a_grant(sql, a_vault(transactions, OTHER_KEY), owner)
    vault = a_vault(transactions, OTHER_KEY)
    with pytest.raises(VaultUnavailable) as raised:
        vault.probe()
    assert raised.value.code == "vault_keys_lacking"
    assert sealer(VAULT_KEY).key_ids[0] in raised.value.message
    assert vault.open(*kept.access) == kept.access_token
    with pytest.raises(VaultUnavailable, match=sealer(VAULT_KEY).key_ids[0]):
        vault.open(*lost.access)
    sql("delete from oauth_grants where id = :id", id=lost.id)
    vault.probe()


def test_a_process_that_was_left_behind_by_a_rotation_is_found_out(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    behind = a_vault(transactions, VAULT_KEY)
    behind.require()
    canary = a_vault(transactions, OTHER_KEY, VAULT_KEY).rewrap(canaries(sql)[0], CANARY)
    sql("update vault_canary set sealed = :canary", canary=canary)
    with pytest.raises(VaultUnavailable, match=sealer(OTHER_KEY).key_ids[0]):
        behind.probe()
    with pytest.raises(VaultUnavailable):
        behind.seal(TOKEN, PLACE)


def test_while_postgresql_is_away_nothing_is_known_and_then_all_is_well(
    transactions: PostgresTransactions,
) -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    away = PostgresTransactions(engine)
    vault = VerifiedVault(sealer(VAULT_KEY), away)
    with pytest.raises(DatabaseUnavailable):
        vault.seal(TOKEN, PLACE)
    vault._transactions = transactions
    sealed = vault.seal(TOKEN, PLACE)
    vault._transactions = away
    assert vault.open(sealed, PLACE) == TOKEN
    with pytest.raises(DatabaseUnavailable):
        vault.probe()
    assert vault.open(sealed, PLACE) == TOKEN
    engine.dispose()


@pytest.mark.parametrize("role", ["atom_app", "atom_auth", "atom_worker"])
def test_no_other_role_sees_the_canary(database_url: str, role: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"set role {role}"))
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            connection.execute(sa.text("select from vault_canary"))
