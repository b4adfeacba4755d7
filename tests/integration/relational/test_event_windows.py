"""A window of a calendar is answered out of the events that may take place in it, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from atom_backend.domain.calendar.agenda import Window
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.relational.engine import create_engine
from atom_backend.relational.records import PostgresRecords
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.calendars import Calendars
from tests.conftest import RunSql
from tests.making import a_user

OWNERS, EACH, SERIES = 5, 4_000, 3
FIRST = datetime(2020, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def crowd(transactions: PostgresTransactions, sql: RunSql) -> list[Principal]:
    """Owners with an hour's event on each day of eleven years, and a few series."""
    owners = [a_user(transactions) for _ in range(OWNERS)]
    sql(
        """
        with made as (
        insert into items
            (id, owner_id, kind, content_hash, title, text, source, happens_at, over_at)
        select gen_random_uuid(), owner, 'event', sha256('x'), 'event', 'common', n,
            timestamptz '2020-01-01 09:00Z' + n * interval '1 day',
            case when n < :series then timestamptz '2500-01-01 00:00Z'
                else timestamptz '2020-01-01 10:00Z' + n * interval '1 day' end
        from generate_series(0, :each - 1) n, unnest(cast(:owners as uuid[])) owner
        returning id, owner_id, source::int as n, happens_at
        )
        insert into events (id, owner_id, description, location, starts_at, ends_at, all_day,
            time_zone, floating, recurrence, exceptions, added, overrides, series, attendees,
            status, transparent)
        select id, owner_id, '', '', happens_at, happens_at + interval '1 hour', false, 'UTC',
            false, case when n < :series then 'FREQ=WEEKLY' end, '[]', '[]', '[]', n < :series,
            '[]', 'confirmed', false
        from made
        """,
        owners=[owner.user_id for owner in owners],
        each=EACH,
        series=SERIES,
    )
    for table in ("items", "events"):
        sql(f"vacuum analyze {table}")
    return owners


@pytest.fixture
def connection(crowd: list[Principal], database_url: str) -> Iterator[sa.Connection]:
    """A transaction of one of the owners."""
    engine = create_engine(database_url, max_connections=0)
    with engine.connect() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(crowd[2].user_id)},
        )
        yield connection


class Within:
    """Transactions that are all the one that is looked into."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextmanager
    def owner(self, principal: Principal) -> Iterator[Any]:
        def records(resource: Any) -> PostgresRecords:
            return PostgresRecords(self._connection, principal.user_id, resource)

        yield SimpleNamespace(records=records)


def rows_read(connection: sa.Connection) -> int:
    return int(
        connection.execute(
            sa.text("""
                select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
                from pg_stat_xact_user_tables where relname in ('items', 'events')
            """)
        ).scalar_one()
    )


@pytest.mark.parametrize(
    ("start", "days", "limit"),
    [(2_000, 7, 50), (10, 7, 50), (EACH - 7, 7, 50), (2_000, 2_000, 20), (0, 100_000, 20)],
)
def test_a_window_reads_what_it_shows(
    connection: sa.Connection, crowd: list[Principal], start: int, days: int, limit: int
) -> None:
    calendars = Calendars(cast(Transactions, Within(connection)))
    window = Window(FIRST + start * DAY - DAY / 2, FIRST + (start + days) * DAY - DAY / 2)
    shown = min(limit, min(days, EACH - start) + SERIES * (days // 7))
    assert len(calendars.instances(crowd[2], window, limit)) == shown
    assert rows_read(connection) <= 6 * (shown + SERIES)


def test_busy_time_reads_what_lies_in_the_window(
    connection: sa.Connection, crowd: list[Principal]
) -> None:
    calendars = Calendars(cast(Transactions, Within(connection)))
    window = Window(FIRST + 2_000 * DAY - DAY / 2, FIRST + 2_007 * DAY - DAY / 2)
    assert len(calendars.busy(crowd[2], window)) == 7
    assert rows_read(connection) <= 6 * (7 + SERIES)
