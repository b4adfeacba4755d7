"""PostgreSQL itself keeps balances, whatever writes transactions, and however many at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

THREADS, WRITES = 6, 40

Write = Callable[..., list[Any]]
"""One statement as the application, in a transaction of its own, with some owner bound."""

INSERT = """
    insert into transactions (id, owner_id, account_id, amount, currency, posted_at)
    values (gen_random_uuid(), :owner, :a, :amount, 'EUR', now())
"""
TRANSFER = INSERT + ", (gen_random_uuid(), :owner, :b, -:amount, 'EUR', now())"

SOME = """(
    select id as chosen from transactions
    where id in (select id from transactions order by random() limit 3)
    order by id for update
) picked where id = chosen"""
"""Rows that two statements change must be locked in one order, too."""

MOVE = f"update transactions set amount = :amount, account_id = :a from {SOME}"
DELETE = f"delete from transactions using {SOME}"


@pytest.fixture
def write(database_url: str) -> Iterator[Write]:
    engine = sa.create_engine(database_url, pool_size=THREADS)

    def run(statement: str, owner: Principal, **parameters: Any) -> list[Any]:
        with engine.begin() as connection:
            bind = (
                "select set_config('role', 'atom_app', true), set_config('atom.owner_id', :o, true)"
            )
            connection.execute(sa.text(bind), {"o": str(owner.user_id)})
            given = {"owner": owner.user_id} | parameters
            result = connection.execute(sa.text(statement), given)
            return list(result) if result.returns_rows else []

    yield run
    engine.dispose()


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


@pytest.fixture
def accounts(write: Write, owner: Principal) -> list[UUID]:
    """Three accounts of one owner."""
    return [an_account(write, owner) for _ in range(3)]


def an_account(write: Write, owner: Principal) -> UUID:
    account = new_id()
    write(
        "insert into accounts (id, owner_id, name, type, currency, closed)"
        " values (:id, :owner, 'Purse', 'cash', 'EUR', false)",
        owner,
        id=account,
    )
    return account


def state(write: Write, owner: Principal) -> dict[UUID, tuple[Decimal, int]]:
    """Balance and revision of each account."""
    rows = write("select id, balance, revision from accounts", owner)
    return {row.id: (row.balance, row.revision) for row in rows}


def test_a_balance_follows_every_statement_and_so_does_the_revision(
    write: Write, owner: Principal, accounts: list[UUID]
) -> None:
    a, b, _ = accounts
    write(INSERT, owner, a=a, amount=Decimal("0.1"))
    write(INSERT, owner, a=a, amount=Decimal("0.2"))
    assert state(write, owner)[a] == (Decimal("0.3"), 3)
    write("update transactions set amount = amount * 2", owner)
    assert state(write, owner)[a] == (Decimal("0.6"), 4), "one statement is one change"
    write("update transactions set account_id = :b where amount = 0.4", owner, b=b)
    assert state(write, owner)[a] == (Decimal("0.2"), 5)
    assert state(write, owner)[b] == (Decimal("0.4"), 2)
    write("update transactions set description = 'x', amount = amount", owner)
    write(TRANSFER, owner, a=a, b=a, amount=9)
    assert state(write, owner)[a] == (Decimal("0.2"), 5), "what moves nothing changes nothing"
    write("delete from transactions", owner)
    assert [one[0] for one in state(write, owner).values()] == [0, 0, 0]
    ((then, now),) = write("select created_at, updated_at from accounts where id = :a", owner, a=a)
    assert then < now


@pytest.mark.parametrize(
    "statement",
    [
        "update accounts set balance = 1",
        "insert into accounts (id, owner_id, name, type, currency, closed, balance)"
        " values (gen_random_uuid(), :owner, 'x', 'cash', 'EUR', false, 1)",
        "truncate transactions",
        "select atom_move_balances()",
    ],
)
def test_the_application_cannot_write_a_balance(
    write: Write, owner: Principal, accounts: list[UUID], statement: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError) as refusal:
        write(statement, owner)
    assert getattr(refusal.value.orig, "pgcode", None) in ("42501", "0A000")


def test_no_transaction_reaches_an_account_of_another_owner_or_currency(
    write: Write, transactions: PostgresTransactions, owner: Principal, accounts: list[UUID]
) -> None:
    foreign = an_account(write, a_user(transactions))
    with pytest.raises(sa.exc.IntegrityError):
        write(INSERT, owner, a=foreign, amount=1)
    with pytest.raises(sa.exc.IntegrityError):
        write(INSERT.replace("EUR", "USD"), owner, a=accounts[0], amount=1)
    with pytest.raises(sa.exc.IntegrityError):
        write(INSERT, owner, a=accounts[0], amount=Decimal("NaN"))
    write(INSERT, owner, a=accounts[0], amount=1)
    with pytest.raises(sa.exc.IntegrityError):
        write("update accounts set currency = 'USD'", owner)
    assert state(write, owner)[accounts[0]] == (Decimal(1), 2)


def test_no_cent_is_lost_however_many_write_at_once(
    write: Write, sql: RunSql, owner: Principal, accounts: list[UUID]
) -> None:
    """Transfers in both directions, several accounts a statement: any deadlock would raise."""

    def one(number: int) -> None:
        chance = random.Random(number)
        for _ in range(WRITES):
            a, b = chance.sample(accounts, 2)
            amount = Decimal(chance.randint(-(10**17), 10**17)).scaleb(-4)
            act = chance.choice([INSERT, TRANSFER, TRANSFER, MOVE, DELETE])
            write(act, owner, a=a, b=b, amount=amount)

    together(one, THREADS)
    wrong = sql("""
        select a.id, a.balance, sum(t.amount) from accounts a
        left join transactions t on t.account_id = a.id
        group by a.id, a.balance having a.balance <> coalesce(sum(t.amount), 0)
    """)
    assert wrong == []
    assert any(balance for balance, _ in state(write, owner).values()), "the test proved nothing"
