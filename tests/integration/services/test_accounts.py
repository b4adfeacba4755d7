"""Accounts: a refresh token works once, and a session that has ended is over everywhere at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from atom_backend.clock import SystemClock, new_id
from atom_backend.domain.accounts import TokenPair
from atom_backend.domain.items import Kind
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.errors import AtomError, Conflict, NotFound, Unauthenticated
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.accounts import Accounts
from atom_backend.services.throttling import Throttle
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.attempt_keys import KeyedAttempts
from atom_backend.vault.passwords import Argon2idPasswords
from tests.conftest import RunSql
from tests.integration.relational.racing import somebody_waits_for_a_lock, until
from tests.making import a_draft

EMAIL, PASSWORD = "Ada@example.org", "a password of some length"
TOKENS = SignedAccessTokens(bytes(range(32)), SystemClock(), lifetime=timedelta(minutes=5))
LIFETIME = timedelta(days=30)


class Calendar:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Calendar:
    return Calendar()


@pytest.fixture
def accounts(transactions: PostgresTransactions, clock: Calendar) -> Accounts:
    passwords = Argon2idPasswords(memory_kib=64, iterations=1)
    throttle = Throttle(transactions, KeyedAttempts(bytes(range(32))))
    return Accounts(transactions, passwords, TOKENS, clock, throttle, refresh_lifetime=LIFETIME)


@pytest.fixture
def pair(accounts: Accounts) -> TokenPair:
    return accounts.register(EMAIL, PASSWORD, "Ada")[1]


def bearer(pair: TokenPair) -> Principal:
    return TOKENS.read(pair.access_token)


def refused_refresh(accounts: Accounts, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        accounts.refresh(token)
    return refused.value.code


def refused_access(accounts: Accounts, pair: TokenPair) -> str:
    with pytest.raises(Unauthenticated) as refused:
        accounts.me(bearer(pair))
    return refused.value.code


def test_who_registers_is_logged_in(accounts: Accounts, pair: TokenPair) -> None:
    user = accounts.me(bearer(pair))
    assert (user.email, user.display_name, user.role) == (EMAIL, "Ada", Role.USER)
    assert accounts.rename(bearer(pair), None).display_name is None


@pytest.mark.usefixtures("pair")
def test_every_login_is_a_session_of_its_own(accounts: Accounts) -> None:
    sessions = {bearer(accounts.log_in(" ADA@example.org", PASSWORD)).session_id for _ in range(2)}
    assert len(sessions) == 2


@pytest.mark.usefixtures("pair")
def test_a_failed_login_does_not_say_whether_the_account_exists(accounts: Accounts) -> None:
    said: list[tuple[str, str]] = []
    for email, password in ((EMAIL, "wrong"), ("nobody@example.org", PASSWORD)):
        with pytest.raises(Unauthenticated) as refused:
            accounts.log_in(email, password)
        said.append((refused.value.code, refused.value.message))
    assert said[0] == said[1]
    assert said[0][0] == "invalid_credentials"


@pytest.mark.usefixtures("pair")
def test_an_address_is_taken_in_whatever_case(accounts: Accounts, sql: RunSql) -> None:
    with pytest.raises(Conflict) as taken:
        accounts.register(EMAIL.upper(), PASSWORD, None)
    assert taken.value.code == "email_taken"
    assert len(sql("select * from users")) == len(sql("select * from sessions")) == 1


def test_refreshing_gives_a_new_pair_of_the_same_session(
    accounts: Accounts, pair: TokenPair
) -> None:
    fresh = accounts.refresh(pair.refresh_token)
    assert fresh.refresh_token != pair.refresh_token
    assert bearer(fresh) == bearer(pair)
    assert accounts.me(bearer(accounts.refresh(fresh.refresh_token))).email == EMAIL


def test_using_a_refresh_token_twice_ends_the_whole_family_and_no_other(
    accounts: Accounts, pair: TokenPair
) -> None:
    other = accounts.log_in(EMAIL, PASSWORD)
    fresh = accounts.refresh(pair.refresh_token)
    assert refused_refresh(accounts, pair.refresh_token) == "invalid_refresh_token"
    assert refused_refresh(accounts, fresh.refresh_token) == "invalid_refresh_token"
    assert refused_access(accounts, fresh) == "session_ended"
    assert accounts.me(bearer(accounts.refresh(other.refresh_token))).email == EMAIL


def test_of_simultaneous_uses_of_a_refresh_token_at_most_one_succeeds(
    accounts: Accounts, pair: TokenPair
) -> None:
    def refresh(_: int) -> TokenPair | AtomError:
        try:
            return accounts.refresh(pair.refresh_token)
        except Unauthenticated as refused:
            return refused

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(refresh, range(3)))
    (fresh,) = [outcome for outcome in outcomes if isinstance(outcome, TokenPair)]
    assert refused_access(accounts, fresh) == "session_ended"


def test_logging_out_ends_access_at_once_and_only_there(
    accounts: Accounts, pair: TokenPair
) -> None:
    other = accounts.log_in(EMAIL, PASSWORD)
    accounts.log_out(bearer(pair))
    assert refused_access(accounts, pair) == "session_ended"
    assert refused_refresh(accounts, pair.refresh_token) == "invalid_refresh_token"
    accounts.log_out(bearer(pair))
    assert accounts.me(bearer(other)).email == EMAIL


def test_a_refresh_token_ends_with_its_lifetime(
    accounts: Accounts, pair: TokenPair, clock: Calendar
) -> None:
    clock.time += LIFETIME
    assert refused_refresh(accounts, pair.refresh_token) == "invalid_refresh_token"


def test_a_token_that_was_never_issued_is_refused(accounts: Accounts) -> None:
    assert refused_refresh(accounts, "atr_made_up") == "invalid_refresh_token"


def test_no_token_is_stored_as_it_was_issued(pair: TokenPair, sql: RunSql) -> None:
    rows = [*sql("select * from refresh_tokens"), *sql("select * from sessions")]
    assert pair.refresh_token not in str(rows)
    assert pair.refresh_token.encode() not in [bytes(row.digest) for row in rows[:1]]


@pytest.mark.usefixtures("pair")
def test_an_operator_acts_for_an_account_without_a_session(accounts: Accounts) -> None:
    operator = accounts.operator_acting_for(EMAIL)
    assert operator.session_id is None
    assert accounts.me(operator).email == EMAIL
    with pytest.raises(NotFound):
        accounts.operator_acting_for("nobody@example.org")


def test_an_admin_is_made_by_command_and_logs_in_like_everybody(accounts: Accounts) -> None:
    accounts.create("root@example.org", PASSWORD, Role.ADMIN)
    assert bearer(accounts.log_in("root@example.org", PASSWORD)).role is Role.ADMIN


def test_a_write_that_is_under_way_while_its_owner_leaves_goes_too(
    accounts: Accounts, pair: TokenPair, transactions: PostgresTransactions, sql: RunSql
) -> None:
    """Nothing may be announced to the index after everything was buried."""
    with ThreadPoolExecutor(1) as pool:
        with transactions.owner(bearer(pair)) as work:
            document = work.records(DOCUMENTS).add(new_id(), a_draft())
            work.index.want(document.id, Kind.DOCUMENT, document.revision)
            leaving = pool.submit(accounts.delete, bearer(pair), PASSWORD)
            until(lambda: leaving.done() or somebody_waits_for_a_lock(sql))
        leaving.result(30)
    assert sql("select count(*) from documents") == [(0,)]
    assert sql("select item_id, deleted from index_entries") == [(document.id, True)]


def test_the_last_admin_may_leave_and_a_new_one_be_made_by_command(accounts: Accounts) -> None:
    accounts.create("root@example.org", PASSWORD, Role.ADMIN)
    accounts.delete(bearer(accounts.log_in("root@example.org", PASSWORD)), PASSWORD)
    accounts.create("root@example.org", PASSWORD, Role.ADMIN)
    assert bearer(accounts.log_in("root@example.org", PASSWORD)).role is Role.ADMIN
