"""Announcements of new work end a wait early; lost ones cost time and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.items import Kind
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.wakeup import PostgresWakeup
from tests.conftest import RunSql
from tests.making import a_user, an_entry

LONG = 60.0
KILL_LISTENER = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'atom-backend-wakeup'
"""


@pytest.fixture
def wakeup(database_url: str) -> Iterator[PostgresWakeup]:
    """A listener that has heard of everything so far."""
    wakeup = PostgresWakeup(database_url)
    assert wakeup.wait(LONG), "the first wait ends at once: what was announced before went unheard"
    yield wakeup
    wakeup.close()


def test_nothing_announced_means_waiting_until_the_end(wakeup: PostgresWakeup) -> None:
    started = time.monotonic()
    assert wakeup.wait(0.1) is False
    assert time.monotonic() - started >= 0.1


def test_new_work_ends_a_wait(wakeup: PostgresWakeup, transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    announcing = threading.Thread(target=an_entry, args=(transactions, owner))
    announcing.start()
    assert wakeup.wait(LONG) is True
    announcing.join()


def test_work_announced_between_two_waits_ends_the_second_once(
    wakeup: PostgresWakeup, transactions: PostgresTransactions
) -> None:
    owner = a_user(transactions)
    item_id = an_entry(transactions, owner)
    assert wakeup.wait(LONG) is True
    assert wakeup.wait(0.05) is False
    with transactions.owner(owner) as work:
        work.index.bury(item_id)
    assert wakeup.wait(LONG) is True


def test_a_write_that_is_rolled_back_announces_nothing(
    wakeup: PostgresWakeup, transactions: PostgresTransactions
) -> None:
    owner = a_user(transactions)

    def write_and_fail() -> None:
        with transactions.owner(owner) as work:
            work.index.want(new_id(), Kind.DOCUMENT, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert wakeup.wait(0.05) is False


def test_a_lost_connection_is_replaced_and_the_wait_ends_once_for_what_may_have_been_missed(
    wakeup: PostgresWakeup, transactions: PostgresTransactions, sql: RunSql
) -> None:
    assert len(sql(KILL_LISTENER)) == 1
    assert wakeup.wait(LONG) is True
    assert wakeup.wait(0.05) is False
    an_entry(transactions, a_user(transactions))
    assert wakeup.wait(LONG) is True


def test_a_server_that_is_not_there_makes_a_wait_of_the_usual_length() -> None:
    wakeup = PostgresWakeup("postgresql://x@127.0.0.1:1/x")
    started = time.monotonic()
    assert wakeup.wait(0.1) is False
    assert time.monotonic() - started >= 0.1
    wakeup.close()


def test_closing_ends_a_running_wait_and_every_later_one(wakeup: PostgresWakeup) -> None:
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(wakeup.wait(LONG)))
    waiting.start()
    wakeup.close()
    waiting.join(LONG / 2)
    assert answers == [False]
    assert wakeup.wait(LONG) is False
