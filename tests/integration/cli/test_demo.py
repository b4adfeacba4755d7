"""The demonstration, on real stores and the real model: what it finds, and that it adds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from atom_backend.cli import cli
from atom_backend.domain.demonstration.pieces import Days
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.demonstration import Demonstration
from atom_backend.services.preferences import Preferences
from atom_backend.services.records import RecordService
from tests.conftest import RunSql
from tests.making import a_user

PASSWORD = "correct horse battery"
SHOULD_FIND = {
    1: {("document", "Lease of the flat")},
    2: {
        ("message", "Moving the piano"),
        ("message", "Re: Moving the piano"),
        ("message", "Shall we take the early ferry? The later one is full of school classes."),
        ("event", "The landlord looks at the damp wall"),
        ("event", "Choir rehearsal"),
    },
    3: {("memory", "Is allergic to hazelnuts and walnuts; almonds are fine.")},
    4: {("message", "Your plants in the summer")},
    5: {("event", "Dentist: check-up")},
}
"""What may be the first result of each search."""

Run = Callable[..., str]


@pytest.fixture
def run(terminal: CliRunner) -> Run:
    """Runs a command that must go well; what it printed."""

    def run(*arguments: str) -> str:
        done = terminal.invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("migrate")
    return run


def searches(printed: str) -> dict[int, list[tuple[str, str]]]:
    """Kinds and titles of the results, by the number of the search."""
    parts = re.split(r"^(\d)\. .*$", printed, flags=re.MULTILINE)[1:]
    return {
        int(number): re.findall(r"^   (\w+): (.+)$", results, flags=re.MULTILINE)
        for number, results in zip(parts[::2], parts[1::2], strict=True)
    }


def test_each_search_finds_what_it_should_and_a_second_run_adds_nothing(
    run: Run, sql: RunSql
) -> None:
    printed = run("demo", "--email", "me@example.org", "--password", PASSWORD)
    found = searches(printed)
    assert found.keys() == SHOULD_FIND.keys()
    for number, first in SHOULD_FIND.items():
        assert found[number][0] in first, printed
    assert set(found[2]) <= SHOULD_FIND[2], "nothing but what was said last week"
    assert "Degraded" not in printed

    before = rows(sql)
    assert min(before.values()) > 0, "the account has some of everything"
    again = run("demo", "--email", "ME@example.org")
    assert "nothing of it new" in again
    assert rows(sql) == before
    assert searches(again) == found


def test_a_password_is_made_up_where_none_is_given_and_opens_the_account(
    run: Run, database: DatabaseUrls
) -> None:
    printed = run("demo")
    (password,) = set(re.findall(r'"password": "([^"]+)"', printed))
    from atom_backend.bootstrap import open_runtime
    from atom_backend.settings import Settings

    settings = {"DATABASE_URL": database.service, "ATOM_SIGNING_KEY": "k" * 32}
    with open_runtime(Settings.from_environment(settings)) as runtime:
        assert runtime.services.accounts.log_in("demo@example.org", password).access_token


def test_on_a_later_day_all_of_it_moves_along_and_nothing_is_added(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    records = RecordService(transactions)
    demonstration = Demonstration(records, Preferences(records))
    owner = a_user(transactions)
    monday = date(2030, 12, 30)
    first = demonstration.load(owner, Days(monday))
    later = demonstration.load(owner, Days(monday + timedelta(days=3)))
    assert (later.new, later.identifiers) == (0, first.identifiers)
    ((due,),) = sql("select happens_at from items where title = 'Dentist: check-up'")
    assert due.date() == monday + timedelta(days=8)


def rows(sql: RunSql) -> dict[str, int]:
    """How many of each there are, and the sum of all revisions."""
    kinds = sql("select kind, count(*), sum(revision) from items group by kind order by kind")
    counted = {kind: int(count * 1000 + revisions) for kind, count, revisions in kinds}
    for table in ("transactions", "accounts", "integrations", "preferences"):
        ((count, revisions),) = sql(f"select count(*), sum(revision) from {table}")
        counted[table] = int(count * 1000 + (revisions or 0))
    assert counted.keys() >= {"document", "message", "event", "task", "memory"}
    return counted
