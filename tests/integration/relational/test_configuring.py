"""The service's configuration behind its walls: who sees it and writes it without our code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.configuration import REGISTRATION_OPEN
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

INSERT = "insert into configuration (key, id, value) values ('k.e', gen_random_uuid(), 'true')"


@pytest.fixture
def admin(transactions: PostgresTransactions) -> Principal:
    """An administrator, who has configured something."""
    admin = a_user(transactions, role=Role.ADMIN)
    with transactions.owner(admin) as work:
        work.configuration.put(REGISTRATION_OPEN, False, admin.user_id)
    return admin


@pytest.fixture
def login(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def run(login: sa.Connection, role: str, owner: Principal, statement: str) -> int | str | None:
    """The rows that it reached, or the code with which PostgreSQL refused it."""
    login.rollback()
    login.execute(
        sa.text("select set_config('role', :role, true), set_config('atom.owner_id', :id, true)"),
        {"role": role, "id": str(owner.user_id)},
    )
    try:
        return login.execute(sa.text(statement)).rowcount
    except sa.exc.ProgrammingError as error:
        return str(getattr(error.orig, "pgcode", None))


def test_only_an_administrator_sees_and_writes_it(
    transactions: PostgresTransactions, admin: Principal, login: sa.Connection
) -> None:
    user = a_user(transactions)
    for statement in (
        "select from configuration",
        "update configuration set value = 'true'",
        "delete from configuration",
    ):
        assert run(login, "atom_app", user, statement) == 0
        assert run(login, "atom_app", admin, statement) == 1
        assert run(login, "atom_worker", admin, statement) == "42501"
    assert run(login, "atom_app", user, INSERT) == "42501"
    assert run(login, "atom_app", admin, INSERT) == 1


def test_it_stays_when_the_administrator_who_set_it_goes(
    transactions: PostgresTransactions, admin: Principal, sql: RunSql
) -> None:
    with transactions.owner(admin) as work:
        work.account.remove()
    assert sql("select key, updated_by from configuration") == [(REGISTRATION_OPEN, None)]


def test_every_write_leaves_an_entry_which_says_who(
    transactions: PostgresTransactions, admin: Principal, sql: RunSql
) -> None:
    with transactions.sign_in() as signing_in:
        signing_in.configuration.put(REGISTRATION_OPEN, True, None)
    with transactions.owner(admin) as work:
        work.configuration.remove(REGISTRATION_OPEN)
    entries = sql(
        "select action, revision, user_id from audit_entries"
        " where resource = 'configuration' order by id"
    )
    assert [tuple(one) for one in entries] == [
        ("create", 1, admin.user_id),
        ("change", 2, None),
        ("remove", 2, admin.user_id),
    ]


def test_two_that_count_accounts_at_once_take_turns(transactions: PostgresTransactions) -> None:
    """Else both would find room for the last account."""

    def register(number: int) -> bool:
        with transactions.sign_in() as work:
            if work.count_users() >= 1:
                return False
            work.add_user(new_id(), f"{number}@example.org", None, Role.USER, "no password")
            return True

    assert sum(together(register, 4)) == 1
