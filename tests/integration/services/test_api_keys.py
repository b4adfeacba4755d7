"""What knowing an API key costs, and what holds while nobody can look one up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from atom_backend.clock import SystemClock, new_id
from atom_backend.domain.api_keys import MOST_KEYS
from atom_backend.domain.permissions import Scope
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import SearchFilter
from atom_backend.errors import Conflict, DatabaseUnavailable, FilterUnavailable, Unauthenticated
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.api_keys import ApiKeys
from tests.conftest import RunSql
from tests.integration.coordinator.stage import Stage
from tests.integration.relational.racing import together
from tests.integration.services.searching import ask, fill
from tests.making import a_user


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.moment = SystemClock().now().replace(second=0)

    def now(self) -> Any:
        return self.moment


class Counted:
    """Transactions that count what is sent to the server."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        self.transactions = PostgresTransactions(self.engine)
        self.sent = 0
        event.listen(self.engine, "before_cursor_execute", self._note)
        event.listen(self.engine, "begin", self._note)
        event.listen(self.engine, "commit", self._note)

    def _note(self, *_: Any) -> None:
        self.sent += 1

    def by(self, principal: Principal) -> int:
        """What one short request sends."""
        before = self.sent
        with self.transactions.owner(principal) as work:
            work.account.get()
        return self.sent - before


@pytest.fixture
def counted(database_url: str) -> Iterator[Counted]:
    counted = Counted(database_url)
    yield counted
    counted.engine.dispose()


@pytest.fixture
def nowhere() -> Iterator[PostgresTransactions]:
    """A PostgreSQL that refuses every connection."""
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    yield PostgresTransactions(engine)
    engine.dispose()


def a_session(transactions: PostgresTransactions, owner: Principal) -> Principal:
    session_id = new_id()
    with transactions.sign_in() as work:
        work.open_session(session_id, owner.user_id, None)
    return Principal(owner.user_id, session_id, owner.role)


def test_a_request_by_key_sends_no_more_than_one_by_session(
    counted: Counted, transactions: PostgresTransactions
) -> None:
    owner, clock = a_user(transactions), Hands()
    session = a_session(transactions, owner)
    keys = ApiKeys(counted.transactions, clock)
    secret = keys.create(session, "key", [Scope.SEARCH], None)[1]
    usual = counted.by(session)

    def cost() -> int:
        before = counted.sent
        counted.by(keys.principal(secret.reveal()))
        return counted.sent - before - usual

    first = cost()
    assert first > 0, "somebody has to look it up"
    assert [cost() for _ in range(3)] == [0, 0, 0]
    clock.moment += timedelta(minutes=1)
    assert [cost(), cost()] == [first, 0]


def test_the_use_of_a_key_is_written_when_the_last_is_a_minute_old(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner, clock = a_user(transactions), Hands()
    keys = ApiKeys(transactions, clock)
    made, secret = keys.create(owner, "key", [Scope.SEARCH], None)

    def noted() -> Any:
        clock.moment += timedelta(minutes=1)
        keys.principal(secret.reveal())
        return sql("select last_used_at from api_keys")[0].last_used_at

    first = noted()
    assert first is not None
    assert noted() == first, "by the database's clock it was a moment ago"
    sql("update api_keys set last_used_at = last_used_at - interval '1 minute'")
    assert noted() > first
    assert made.last_used_at is None


def test_a_key_cannot_be_checked_without_postgresql_which_is_not_the_same_as_wrong(
    stage: Stage, nowhere: PostgresTransactions
) -> None:
    fill(stage, ["moon"])
    clock = Hands()
    secret = ApiKeys(stage.transactions, clock).create(stage.owner, "k", [Scope.SEARCH], None)[1]
    with pytest.raises(DatabaseUnavailable):
        ApiKeys(nowhere, clock).principal(secret.reveal())
    with pytest.raises(Unauthenticated):
        ApiKeys(nowhere, clock).principal(secret.reveal()[:-1])
    known = ApiKeys(stage.transactions, clock).principal(secret.reveal())
    assert ask(stage, "moon", by=known).results
    with pytest.raises(DatabaseUnavailable):
        ask(stage, "moon", by=known, transactions=nowhere)
    with pytest.raises(FilterUnavailable):
        ask(stage, "moon", by=known, transactions=nowhere, filter=SearchFilter(tags=("a",)))


def test_racing_requests_make_no_more_keys_than_an_account_may_have(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    keys = ApiKeys(transactions, SystemClock())
    keys.create(owner, "first", [Scope.SEARCH], None)
    sql(
        "insert into api_keys (id, owner_id, name, scopes, digest)"
        " select gen_random_uuid(), owner_id, name, scopes, digest"
        f" from api_keys, generate_series(3, {MOST_KEYS})"
    )

    def one_more(number: int) -> str:
        try:
            keys.create(owner, f"{number}", [Scope.SEARCH], None)
        except Conflict as refusal:
            return refusal.code
        return "made"

    assert sorted(together(one_more, 4)) == ["made"] + ["too_many_api_keys"] * 3


def test_a_scope_that_is_not_known_any_more_opens_nothing(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    keys = ApiKeys(transactions, SystemClock())
    secret = keys.create(a_user(transactions), "key", [Scope.SEARCH], None)[1]
    sql("update api_keys set scopes = '{search,forgotten}'")
    assert keys.principal(secret.reveal()).scopes == {Scope.SEARCH}
