"""Tallies of failed attempts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import somebody_waits_for_a_lock, until

FIRST, SECOND = b"a" * 32, b"b" * 32


def test_two_attempts_that_share_keys_never_wait_for_each_other(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    def lock_both() -> int:
        with transactions.sign_in() as work:
            return len(work.attempts.lock([SECOND, FIRST]))

    with transactions.sign_in() as work:
        work.attempts.lock([FIRST, SECOND])
    with ThreadPoolExecutor(1) as pool:
        with transactions.sign_in() as work:
            work.attempts.lock([FIRST])
            other = pool.submit(lock_both)
            until(lambda: other.done() or somebody_waits_for_a_lock(sql))
            work.attempts.lock([SECOND])
        assert other.result(30) == 2
