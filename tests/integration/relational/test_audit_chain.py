"""Entries are sealed once each, whatever commits when; what was sealed does not change unseen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from atom_backend.coordinator.sealing import Sealing
from atom_backend.domain.audit_chain import FIELDS, Head, digest_after
from atom_backend.relational.audit import audit_entries
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql, run_sql
from tests.integration.relational.racing import somebody_waits_for_a_lock, together, until
from tests.integration.relational.sealing import (
    breaches,
    entries,
    head,
    intrude,
    seal,
    sealed_ids,
    verify,
)

ENTRY = """
    insert into audit_entries (action, resource, item_id)
    values ('create', 'x', gen_random_uuid())
"""
AT_A_TIME = """
    insert into audit_entries (at, action, resource, item_id)
    values ({}, 'create', 'x', gen_random_uuid())
"""

TAMPERED = {
    "an entry is changed": (
        ["update audit_entries set remote_address = '192.0.2.1' where id = 4"],
        [("changed", 4, 4)],
    ),
    "a time is changed by a microsecond": (
        ["update audit_entries set at = at + interval '1 microsecond' where id = 1"],
        [("changed", 1, 1)],
    ),
    "a text moves to the next column": (
        ["update audit_entries set request_id = null, remote_address = request_id where id = 7"],
        [("changed", 7, 7)],
    ),
    "an entry is removed": (
        ["delete from audit_entries where id = 5"],
        [("removed", 5, 5)],
    ),
    "an entry is removed with its seal": (
        ["delete from audit_entries where id = 5", "delete from audit_seals where position = 5"],
        [("gap", 5, None)],
    ),
    "an entry is removed with its seal and those behind move up": (
        [
            "delete from audit_entries where id = 5",
            "delete from audit_seals where position = 5",
            "update audit_seals set position = position - 1 where position = 6",
            "update audit_seals set position = position - 1 where position = 7",
        ],
        [("changed", 5, 6)],
    ),
    "the beginning is removed": (
        ["delete from audit_entries where id < 3", "delete from audit_seals where position < 3"],
        [("gap", 1, None)],
    ),
    "two entries change places": (
        [
            "update audit_seals set entry_id = 99 where position = 2",
            "update audit_seals set entry_id = 2 where position = 3",
            "update audit_seals set entry_id = 3 where position = 2",
        ],
        [("changed", 2, 3), ("changed", 3, 2)],
    ),
    "a seal is changed": (
        ["update audit_seals set digest = sha256('x') where position = 6"],
        [("changed", 6, 6), ("changed", 7, 7)],
    ),
    "an entry is inserted in a number that was left out": (
        [
            "delete from audit_entries where id = 5",
            "insert into audit_entries (id, action, resource, item_id) overriding system value"
            " values (5, 'create', 'users', gen_random_uuid())",
        ],
        [("changed", 5, 5)],
    ),
    "an entry is inserted below all": (
        [
            "insert into audit_entries (id, action, resource, item_id) overriding system value"
            " values (-5, 'create', 'users', gen_random_uuid())",
        ],
        [("inserted", None, -5)],
    ),
    "all seals are removed": (
        ["delete from audit_seals"],
        [("inserted", None, number) for number in range(1, 8)],
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_verification_names_what_was_done_and_where(
    transactions: PostgresTransactions, sql: RunSql, case: str
) -> None:
    entries(transactions, 7)
    sql("alter table audit_entries disable trigger kept")
    sql("update audit_entries set request_id = 'trace-7' where id = 7")
    seal(transactions)
    assert verify(transactions).holds
    statements, expected = TAMPERED[case]
    intrude(sql, statements)
    found = verify(transactions)
    assert breaches(found) == expected
    assert found.counts.total() == len(expected)


def test_only_a_head_that_was_noted_shows_a_trail_that_was_cut_off_or_sealed_anew(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    entries(transactions, 4)
    seal(transactions)
    noted = head(transactions)
    entries(transactions, 2)
    seal(transactions)
    newest = head(transactions)
    assert verify(transactions, noted, newest).holds
    cut = "delete from {} where {} > 5"
    intrude(sql, [cut.format("audit_entries", "id"), cut.format("audit_seals", "position")])
    sql("update audit_chain set settled_id = 5, watched_id = 5")
    assert verify(transactions, noted).holds
    assert breaches(verify(transactions, noted, newest)) == [("truncated", 6, None)]
    intrude(sql, ["update audit_entries set user_id = item_id where id = 2"])
    intrude(sql, ["delete from audit_seals", "update audit_chain set settled_id = 0"])
    seal(transactions)
    assert verify(transactions).holds, "whoever can write everything can seal anew"
    assert breaches(verify(transactions, noted)) == [("rewritten", 4, None)]


def test_what_commits_late_is_sealed_late_and_holds_up_nothing(
    transactions: PostgresTransactions, database: DatabaseUrls, sql: RunSql
) -> None:
    entries(transactions, 2)
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as late, engine.connect() as never:
        late.execute(sa.text(ENTRY))
        never.execute(sa.text(ENTRY))
        entries(transactions, 3)
        for _ in range(3):
            seal(transactions)
        assert sealed_ids(sql) == [1, 2, 5, 6, 7]
        assert sql("select settled_id < 3 from audit_chain") == [(True,)]
        never.rollback()
        late.commit()
    for _ in range(3):
        seal(transactions)
    assert sealed_ids(sql) == [1, 2, 5, 6, 7, 3]
    assert sql("select settled_id from audit_chain") == [(7,)]
    assert verify(transactions).holds
    engine.dispose()


def test_an_entry_that_has_its_number_and_is_not_written_yet_is_waited_for(
    transactions: PostgresTransactions, database: DatabaseUrls, sql: RunSql
) -> None:
    """Between the number and the row anything may happen; here it waits for a lock."""
    entries(transactions, 1)
    sql(
        "create function slow_id() returns uuid language plpgsql as"
        " 'begin perform pg_advisory_xact_lock(7); return gen_random_uuid(); end'"
    )
    slow = ENTRY.replace("gen_random_uuid()", "slow_id()")
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with ThreadPoolExecutor(1) as pool, engine.connect() as blocking:
        blocking.execute(sa.text("select pg_advisory_xact_lock(7)"))
        written = pool.submit(run_sql, database.owner, slow)
        until(lambda: somebody_waits_for_a_lock(sql))
        entries(transactions, 1)
        for _ in range(2):
            seal(transactions)
        assert sealed_ids(sql) == [1, 3]
        blocking.rollback()
        written.result()
    seal(transactions)
    assert sealed_ids(sql) == [1, 3, 2]
    engine.dispose()


def test_sealers_that_race_seal_each_entry_once(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    entries(transactions, 40)
    together(lambda _: Sealing(transactions, batch=2).run_once(), 4)
    seal(transactions)
    assert sealed_ids(sql) == list(range(1, 41))
    assert verify(transactions).holds


def test_a_restored_dump_is_sealed_on_though_its_transactions_have_other_numbers(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    """Numbers of transactions are the cluster's, and a new one begins with small ones."""
    entries(transactions, 2)
    seal(transactions)
    sql("update audit_chain set watched_until = 1 << 60")
    entries(transactions, 2)
    for _ in range(2):
        seal(transactions)
    assert sealed_ids(sql) == [1, 2, 3, 4]
    assert sql("select settled_id from audit_chain") == [(4,)]
    assert verify(transactions).holds


def test_times_of_entries_play_no_part_in_their_order(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    for at in ("infinity", "2999-01-01", "0044-03-15 BC", "-infinity"):
        sql(AT_A_TIME.format(f"'{at}'"))
    seal(transactions)
    assert sealed_ids(sql) == [1, 2, 3, 4]
    assert verify(transactions).holds
    intrude(sql, ["update audit_entries set at = 'infinity' where id = 4"])
    assert breaches(verify(transactions)) == [("changed", 4, 4)]


def test_entries_that_nobody_seals_are_found_after_a_while(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    entries(transactions, 2)
    assert verify(transactions).holds
    sql(AT_A_TIME.format("now() - interval '1 hour'"))
    (found,) = breaches(verify(transactions))
    assert found == ("unsealed", None, None)


def test_every_column_of_an_entry_is_sealed() -> None:
    assert {column.name for column in audit_entries.c} == set(FIELDS)
    entry = [f"{number}" for number in range(len(FIELDS))]
    digests = {digest_after(b"", [*entry[:n], None, *entry[n + 1 :]]) for n in range(len(FIELDS))}
    assert len(digests) == len(FIELDS)
    assert digest_after(b"", entry) != digest_after(b"1", entry)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entries set user_id = null",
        "update audit_seals set digest = digest",
        "truncate audit_entries",
        "truncate audit_seals",
    ],
)
def test_not_even_the_owner_of_the_tables_changes_the_trail_by_mistake(
    database: DatabaseUrls, statement: str
) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="append-only"):
        run_sql(database.owner, statement)


def test_a_head_is_read_as_it_is_written(transactions: PostgresTransactions) -> None:
    entries(transactions, 1)
    seal(transactions)
    assert Head.parse(str(head(transactions))) == head(transactions)


def test_the_head_goes_into_the_log_when_there_is_one_and_then_from_time_to_time(
    transactions: PostgresTransactions, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    sealing = Sealing(transactions, monotonic=lambda: now[0])
    with caplog.at_level("INFO"):
        for now[0] in (0.0, 1.0, 299.0, 302.0):
            sealing.run_once()
            entries(transactions, 1)
    said = [one.getMessage() for one in caplog.records if "the head of" in one.getMessage()]
    assert [one.split()[-1].partition(":")[0] for one in said] == ["1", "3"]
