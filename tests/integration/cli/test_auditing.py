"""The commands about the audit trail: what they say, and how they end."""

from __future__ import annotations

import json

from click.testing import CliRunner

from atom_backend.cli import cli
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.sealing import (
    breaches,
    entries,
    head,
    intrude,
    seal,
    sealed_ids,
    verify,
)

HOLDS, BROKEN, MISUSED = 0, 1, 2


def run(terminal: CliRunner, *arguments: str) -> tuple[int, str]:
    done = terminal.invoke(cli, ["audit", *arguments])
    return done.exit_code, done.output


def test_the_trail_is_verified_from_a_terminal(
    terminal: CliRunner, transactions: PostgresTransactions, sql: RunSql
) -> None:
    empty = run(terminal, "verify")
    assert (empty[0], "holds: 0 sealed entries" in empty[1]) == (HOLDS, True)
    entries(transactions, 5)
    seal(transactions)
    status, noted = run(terminal, "head")
    assert (status, noted) == (0, f"{head(transactions)}\n")
    status, said = run(terminal, "verify", "--head", noted.strip())
    assert (status, f"holds: 5 sealed entries, head {noted.strip()}" in said) == (HOLDS, True)
    intrude(sql, ["update audit_entries set action = 'remove' where id in (3, 4)"])
    status, said = run(terminal, "verify")
    assert (status, "is BROKEN" in said) == (BROKEN, True)
    assert said.splitlines()[1].startswith("changed    position 3, entry 3: ")
    status, said = run(terminal, "verify", "--head", f"9:{'0' * 64}", "--json")
    found = json.loads(said)
    assert (status, found["counts"]) == (BROKEN, {"changed": 2, "truncated": 1})
    assert found["findings"][0]["entry_id"] == 3
    for wrong in ("5", "5:00", f"-1:{'0' * 64}", f"{10**30}:{'0' * 64}", f"1:{'g' * 64}"):
        assert run(terminal, "verify", "--head", wrong)[0] == MISUSED


def test_the_beginning_is_removed_and_the_rest_still_verifies(
    terminal: CliRunner, transactions: PostgresTransactions, sql: RunSql
) -> None:
    entries(transactions, 6)
    seal(transactions)
    before, at_the_end = head(transactions), sql("select at from audit_entries where id = 5")[0].at
    (early,) = sql("select position, digest from audit_seals where position = 2")
    status, said = run(terminal, "prune", "--before", at_the_end.isoformat())
    assert (status, "Removed 4 entries; the trail now begins after 4:" in said) == (0, True)
    base = said.split()[-1].rstrip(".")
    seal(transactions)
    assert sealed_ids(sql) == [5, 6, 7], "the removal is an entry itself"
    told = sql("select action, resource, revision from audit_entries where id = 7")
    assert [tuple(row) for row in told] == [("remove", "audit", 4)]
    assert verify(transactions, before).holds
    early_head = f"{early.position}:{bytes(early.digest).hex()}"
    status, said = run(terminal, "verify", "--head", base, "--head", early_head)
    assert (status, "A head at position 2 was pruned." in said) == (HOLDS, True)
    intrude(sql, ["delete from audit_entries where id = 5"])
    assert breaches(verify(transactions)) == [("removed", 5, 5)]
    assert run(terminal, "prune", "--before", "2001-01-01")[1].startswith("No sealed entry")
    assert run(terminal, "prune", "--before", "yesterday")[0] == MISUSED


def test_a_removal_that_was_broken_off_is_finished_by_the_next(
    terminal: CliRunner, transactions: PostgresTransactions, sql: RunSql
) -> None:
    entries(transactions, 6)
    seal(transactions)
    sql(
        "update audit_chain set pruned_position = s.position, pruned_digest = s.digest"
        " from audit_seals s where s.position = 3"
    )
    assert verify(transactions).holds, "what is left of the beginning is of no account"
    status, said = run(terminal, "prune", "--before", "2001-01-01")
    assert (status, "Removed 3 entries; the trail now begins after 3:" in said) == (0, True)
    assert sealed_ids(sql) == [4, 5, 6]
    assert verify(transactions).holds
    assert run(terminal, "prune", "--before", "2999-01-01")[0] == 0
    seal(transactions)
    assert verify(transactions).holds
    assert head(transactions).position == 7
