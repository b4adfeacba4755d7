"""Statements that are planned once: whose rows they show, when they are made anew, where not."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_UNIX, SHUT_WR, socket

import pytest
import sqlalchemy as sa

from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.errors import DatabaseUnavailable
from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.prepared import MOST, PREPARED
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions
from tests.making import a_task, a_user

PLANS = sa.text("select name, generic_plans, custom_plans from pg_prepared_statements")
OFTEN = 12
"""More often than PostgreSQL plans a prepared statement for its values alone."""


@pytest.fixture
def engine(database: DatabaseUrls) -> Iterator[sa.Engine]:
    """One connection, of a role that may make tables."""
    engine = create_engine(database.owner, max_connections=1)
    yield engine
    engine.dispose()


@contextmanager
def _pooler(server: EmbeddedServer) -> Iterator[int]:
    """Like a pooler, it tells its clients another process than the one that answers; its port."""

    class Session(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket(AF_UNIX) as upstream:
                upstream.connect(str(server.sockets / ".s.PGSQL.5432"))
                asks = threading.Thread(target=_pass_on, args=(self.request, upstream))
                asks.start()
                _pass_on(upstream, self.request, renamed=True)
                asks.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as listener:
        listening = threading.Thread(target=listener.serve_forever)
        listening.start()
        try:
            yield listener.server_address[1]
        finally:
            listener.shutdown()
            listening.join()


def _pass_on(source: socket, target: socket, *, renamed: bool = False) -> None:
    while data := source.recv(1 << 16):
        # BackendKeyData: its length, then the number of the process.
        place = data.find(b"K\0\0\0\x0c")
        if renamed and place >= 0:
            data = data[: place + 8] + bytes([data[place + 8] ^ 1]) + data[place + 9 :]
            renamed = False
        target.sendall(data)
    target.shutdown(SHUT_WR)


def _asking(text: str) -> sa.TextClause:
    return sa.text(text).execution_options(**PREPARED)


def test_a_plan_that_one_owner_had_made_shows_the_next_one_nothing_foreign(
    database_url: str,
) -> None:
    engine = create_engine(database_url, max_connections=1)
    transactions = PostgresTransactions(engine)
    owners = [a_user(transactions) for _ in range(2)]
    tasks = [a_task(transactions, one, f"of {one.user_id}") for one in owners]
    for _ in range(OFTEN):
        for owner, own, foreign in zip(owners, tasks, reversed(tasks), strict=True):
            with transactions.owner(owner) as work:
                records = work.records(TASKS)
                assert records.find(own.id) == own
                assert records.find(foreign.id) is None
                assert records.listing(Listing(20)) == [own]
    with engine.connect() as connection:
        plans = connection.execute(PLANS).all()
    engine.dispose()
    assert any(plan.generic_plans > OFTEN for plan in plans)


def test_a_statement_is_prepared_once_for_a_connection(engine: sa.Engine) -> None:
    for given in (1, 2, 3):
        with engine.connect() as connection:
            assert connection.scalar(_asking("select :a + :b * 2 % 100"), {"a": 5, "b": given}) == (
                5 + given * 2
            )
    with engine.connect() as connection:
        [plan] = connection.execute(PLANS).all()
    assert plan.generic_plans + plan.custom_plans == 3


def test_a_statement_that_is_not_marked_is_not_prepared(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select :a"), {"a": 5}) == 5
        assert connection.execute(PLANS).all() == []


def test_no_connection_keeps_more_plans_than_it_may(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        for number in range(MOST + 5):
            assert connection.scalar(_asking(f"select {number}")) == number
            assert connection.scalar(_asking("select 'often'")) == "often"
        plans = connection.execute(PLANS).all()
    assert len(plans) == MOST
    assert sum(plan.generic_plans + plan.custom_plans for plan in plans) == MOST + (MOST + 5) - 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("discard plans; deallocate all", id="discarded"),
        pytest.param("alter table kept alter column number type text", id="another type"),
    ],
)
def test_plans_that_are_lost_or_do_not_fit_any_more_are_made_anew_after_one_failure(
    engine: sa.Engine, change: str
) -> None:
    ask = _asking("select number from kept where number is not null")
    with engine.begin() as connection:
        connection.execute(sa.text("create table kept as select 7 as number"))
    with engine.begin() as connection:
        assert connection.scalar(ask) == 7
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    with engine.begin() as connection, pytest.raises(DatabaseUnavailable):
        connection.scalar(ask)
    for _ in range(2):
        with engine.begin() as connection:
            assert str(connection.scalar(ask)) == "7"


def test_a_connection_that_is_replaced_prepares_anew(engine: sa.Engine) -> None:
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.scalar(_asking("select 1")) == 1
            assert len(connection.execute(PLANS).all()) == 1
            connection.invalidate()


def test_behind_a_pooler_nothing_is_prepared(
    postgresql: EmbeddedServer, database: DatabaseUrls
) -> None:
    with _pooler(postgresql) as port:
        url = sa.make_url(database.owner).set(host="127.0.0.1", port=port, query={})
        engine = create_engine(url.render_as_string(hide_password=False), max_connections=1)
        try:
            with engine.connect() as connection:
                assert connection.scalar(_asking("select :a"), {"a": "one"}) == "one"
                plans = connection.execute(PLANS).all()
        finally:
            engine.dispose()
    assert plans == []
