"""Rotation of the vault's keys: nothing is lost, nothing newer is overwritten, readers go on."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import CANARY, SEALED_COLUMNS, SealedColumn, Secret
from atom_backend.errors import Conflict, DatabaseUnavailable, NotFound, VaultUnavailable
from atom_backend.relational.engine import create_engine
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from atom_backend.services.keys import Keys
from tests.conftest import RunSql
from tests.integration.relational.racing import somebody_waits_for_a_lock, together, until
from tests.integration.services.grants import Grant, a_flow, a_grant, held, place, refresh
from tests.making import a_user
from tests.vaults import OTHER_KEY, VAULT_KEY, a_vault, sealer

OLD, NEW = VAULT_KEY, OTHER_KEY
OLD_ID, NEW_ID = (sealer(key).key_ids[0] for key in (OLD, NEW))
BATCH = 3


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


@pytest.fixture
def grants(transactions: PostgresTransactions, sql: RunSql, owner: Principal) -> list[Grant]:
    """Under the old key; some have no refresh token."""
    vault = a_vault(transactions, OLD)
    a_flow(sql, vault, owner)
    return [a_grant(sql, vault, owner, refresh=number % 3 > 0) for number in range(10)]


def keys(transactions: PostgresTransactions, *given: str, batch: int = BATCH) -> Keys:
    return Keys(transactions, a_vault(transactions, *given), batch=batch)


def rotate(transactions: PostgresTransactions, *given: str) -> list[tuple[int, int]]:
    """What the progress was told."""
    told: list[tuple[int, int]] = []
    report = keys(transactions, *given).rotate(lambda *step: told.append(step))
    assert report.unopened == ()
    assert (report.rows, report.key_id) == (told[-1][0] if told else 0, sealer(*given).key_ids[0])
    return told


def opened(
    transactions: PostgresTransactions, sql: RunSql, *given: str
) -> dict[UUID, tuple[Secret, Secret | None]]:
    """Every token of every grant, as whoever has these keys reads it."""
    vault = a_vault(transactions, *given)

    def read(grant: UUID, column: str, owner: UUID, sealed: bytes | None) -> Secret | None:
        return None if sealed is None else vault.open(bytes(sealed), place(grant, column, owner))

    found = {}
    for row in sql("select id, owner_id, access_token, refresh_token from oauth_grants"):
        access = read(row.id, "access_token", row.owner_id, row.access_token)
        assert access is not None
        found[row.id] = access, read(row.id, "refresh_token", row.owner_id, row.refresh_token)
    return found


def tokens(grants: list[Grant]) -> dict[UUID, tuple[Secret, Secret | None]]:
    return {grant.id: (grant.access_token, grant.refresh_token) for grant in grants}


def test_everything_comes_under_the_key_that_writes_and_stays_what_it_was(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant]
) -> None:
    untouched = "select id, updated_at, revision, issued_at from oauth_grants order by id"
    before = sql(untouched)
    told = rotate(transactions, NEW, OLD)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (11, 11)
    assert opened(transactions, sql, NEW) == tokens(grants)
    assert sql(untouched) == before
    status = keys(transactions, NEW).status()
    assert [(key.key_id, key.writes, key.lost) for key in status] == [(NEW_ID, True, False)]
    assert {f"{use.table}.{use.column}": use.secrets for use in status[0].uses} == {
        "oauth_grants.access_token": 10,
        "oauth_grants.refresh_token": 6,
        "oauth_flows.verifier": 1,
        "vault_canary.sealed": 1,
    }
    assert rotate(transactions, NEW, OLD) == []


def test_blind_indexes_outlive_a_rotation(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant]
) -> None:
    before = a_vault(transactions, OLD).blind_index("account", "someone")
    rotate(transactions, NEW, OLD)
    assert a_vault(transactions, NEW).blind_index("account", "someone") == before


def test_an_empty_vault_is_rotated_by_its_canary_alone(transactions: PostgresTransactions) -> None:
    a_vault(transactions, OLD).require()
    assert rotate(transactions, NEW, OLD) == []
    a_vault(transactions, NEW).probe()


@pytest.mark.parametrize(
    "point_and_left",
    [("rewrap:1", 5), ("batch:1", 4), ("rewrap:8", 4), ("batch:4", 1), ("rewrap:18", 0)],
)
def test_a_rotation_that_is_killed_has_lost_nothing_and_the_next_one_goes_on(
    transactions: PostgresTransactions,
    sql: RunSql,
    database_url: str,
    grants: list[Grant],
    point_and_left: tuple[str, int],
) -> None:
    point, left = point_and_left
    program = [sys.executable, "-m", "tests.integration.services.rotating", database_url]
    killed = subprocess.run(
        [*program, f"{NEW},{OLD}", str(BATCH), point], cwd=Path(__file__).parents[3], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert opened(transactions, sql, NEW, OLD) == tokens(grants)
    with pytest.raises(VaultUnavailable):
        a_vault(transactions, NEW).require()
    assert len(rotate(transactions, NEW, OLD)) == left
    assert opened(transactions, sql, NEW) == tokens(grants)


def test_refreshes_and_readers_go_on_and_no_newer_token_is_overwritten(
    transactions: PostgresTransactions, sql: RunSql, database: DatabaseUrls, grants: list[Grant]
) -> None:
    over = Event()
    vault = a_vault(transactions, NEW, OLD)

    def keep_refreshing(mine: list[Grant]) -> dict[UUID, tuple[Secret, Secret | None]]:
        """Like a single-flight refresh: what is read under the lock is what was written last."""
        known = tokens(mine)
        while not over.is_set():
            for grant in mine:
                before = known[grant.id]
                known[grant.id] = refresh(database.owner, vault, grant.owner_id, grant.id, before)
        return known

    def read() -> int:
        times = 0
        while not over.is_set():
            assert opened(transactions, sql, NEW, OLD).keys() == tokens(grants).keys()
            times += 1
        return times

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(keep_refreshing, half) for half in (grants[:5], grants[5:])]
        reader = pool.submit(read)
        try:
            for _ in range(6):
                rotate(transactions, OLD, NEW)
                rotate(transactions, NEW, OLD)
        finally:
            over.set()
        written = writers[0].result() | writers[1].result()
        assert reader.result() > 0
    rotate(transactions, NEW, OLD)
    assert opened(transactions, sql, NEW) == written
    assert written != tokens(grants)


def test_two_rotations_share_the_work(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant]
) -> None:
    together(lambda _: keys(transactions, NEW, OLD, batch=1).rotate(lambda *_: None), 2)
    assert opened(transactions, sql, NEW) == tokens(grants)


def test_a_row_that_somebody_holds_is_waited_for_last_and_not_for_ever(
    transactions: PostgresTransactions,
    database: DatabaseUrls,
    sql: RunSql,
    grants: list[Grant],
) -> None:
    engine = create_engine(database.service, max_connections=0)
    impatient = PostgresTransactions(engine, limits=TimeLimits(lock=0.05))
    with ThreadPoolExecutor(1) as pool, held(database.owner, grants[4].id) as holding:
        with pytest.raises(DatabaseUnavailable):
            rotate(impatient, NEW, OLD)
        under = "select count(*) from oauth_grants where substr(access_token, 2, 8) = :key"
        assert sql(under, key=bytes.fromhex(OLD_ID)) == [(1,)]
        patient = pool.submit(rotate, transactions, NEW, OLD)
        until(lambda: somebody_waits_for_a_lock(sql))
        holding.commit()
        patient.result()
    assert opened(transactions, sql, NEW) == tokens(grants)


def test_what_does_not_open_is_told_and_stays_as_it_is(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant]
) -> None:
    moved, damaged = grants[1], grants[2]
    sql(
        "update oauth_grants set access_token = :moved where id = :id",
        moved=grants[0].sealed_access,
        id=moved.id,
    )
    sql(
        "update oauth_grants set refresh_token = refresh_token || '\\x00' where id = :id",
        id=damaged.id,
    )
    report = keys(transactions, NEW, OLD).rotate(lambda *_: None)
    assert (report.rows, len(report.unopened)) == (11, 2)
    assert {str(moved.id) in one or str(damaged.id) in one for one in report.unopened} == {True}
    vault = a_vault(transactions, NEW)
    (row,) = sql("select access_token as token from oauth_grants where id = :id", id=damaged.id)
    assert vault.open(bytes(row.token), place(damaged.id, "access_token", damaged.owner_id))
    (row,) = sql("select access_token as token from oauth_grants where id = :id", id=moved.id)
    assert bytes(row.token) == grants[0].sealed_access
    with pytest.raises(Conflict, match=r"1 in oauth_grants\.access_token"):
        keys(transactions, NEW, OLD).retire(OLD_ID)


@pytest.mark.parametrize("given", [(NEW,), ()], ids=["wrong", "none"])
def test_without_the_right_key_nothing_is_rotated(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant], given: tuple[str, ...]
) -> None:
    with pytest.raises(VaultUnavailable):
        keys(transactions, *given).rotate(lambda *_: None)
    assert opened(transactions, sql, OLD) == tokens(grants)
    assert [key.lost for key in keys(transactions, *given).status()][-1]


@pytest.mark.parametrize("stale", SEALED_COLUMNS, ids=lambda stale: f"{stale.table}.{stale.column}")
def test_a_key_is_retired_only_when_nothing_is_under_it(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant], stale: SealedColumn
) -> None:
    def refused(key_id: str, *given: str) -> str:
        with pytest.raises(Conflict) as raised:
            keys(transactions, *given).retire(key_id)
        assert raised.value.code == "key_in_use"
        return raised.value.message

    assert "What writes" in refused(OLD_ID, OLD, NEW)
    table, column = stale.table, stale.column
    assert f"{table}.{column}" in refused(OLD_ID, NEW, OLD)
    assert f"{table}.{column}" in refused(OLD_ID, NEW)
    keys(transactions, OLD, NEW).retire(NEW_ID)
    left = sql(f"select * from {table} where {column} is not null limit 1")[0]
    rotate(transactions, NEW, OLD)
    sealed = getattr(left, column)
    sql(f"update {table} set {column} = :sealed where id = :id", sealed=sealed, id=left.id)
    assert f"1 in {table}.{column}" in refused(OLD_ID, NEW, OLD)
    rotate(transactions, NEW, OLD)
    keys(transactions, NEW, OLD).retire(OLD_ID)


def test_the_canary_alone_keeps_a_key_from_being_retired(
    transactions: PostgresTransactions,
) -> None:
    a_vault(transactions, OLD).require()
    with pytest.raises(Conflict, match=CANARY.table):
        keys(transactions, NEW, OLD).retire(OLD_ID)


def test_a_key_that_nobody_knows_is_not_retired(transactions: PostgresTransactions) -> None:
    with pytest.raises(NotFound, match=OLD_ID):
        keys(transactions, OLD).retire("00" * 8)


def test_rotation_and_retirement_stand_in_the_audit_trail(
    transactions: PostgresTransactions, sql: RunSql, grants: list[Grant]
) -> None:
    rotate(transactions, NEW, OLD)
    rotate(transactions, NEW, OLD)
    keys(transactions, NEW, OLD).retire(OLD_ID)
    noted = sql("select action, user_id from audit_entries where resource = 'vault' order by id")
    assert noted == [("rotate", None), ("retire", None)]
    of_grants = "select distinct action from audit_entries where resource = 'oauth_grants'"
    assert sql(of_grants) == [("create",)]
