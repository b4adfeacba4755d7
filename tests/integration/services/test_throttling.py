"""Guessing passwords is slowed, by account and by address, without telling which accounts exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from atom_backend.clock import SystemClock
from atom_backend.domain.accounts import TokenPair
from atom_backend.domain.principals import Principal
from atom_backend.errors import AtomError, Conflict, Forbidden, TooManyRequests, Unauthenticated
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.accounts import Accounts
from atom_backend.services.throttling import Throttle
from atom_backend.telemetry.context import bind_request_id
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.attempt_keys import KeyedAttempts
from atom_backend.vault.passwords import Argon2idPasswords
from tests.conftest import RunSql

EMAIL, PASSWORD, WRONG = "ada@example.org", "a password of some length", "a wrong password"
UNKNOWN = "nobody@example.org"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"
TOKENS = SignedAccessTokens(bytes(range(32)), SystemClock(), lifetime=timedelta(minutes=5))


class Counting(Argon2idPasswords):
    """Counts the work, which is what takes time."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, iterations=1)
        self.done: list[str] = []

    def hash(self, password: str) -> str:
        self.done.append("hash")
        return super().hash(password)

    def verify(self, password: str, hashed: str) -> bool:
        self.done.append("verify")
        return super().verify(password, hashed)


@pytest.fixture
def passwords() -> Counting:
    return Counting()


@pytest.fixture
def make(transactions: PostgresTransactions, passwords: Counting) -> Callable[[], Accounts]:
    """Accounts as another process would have them."""
    keys = KeyedAttempts(bytes(range(32)))
    return lambda: Accounts(
        transactions,
        passwords,
        TOKENS,
        SystemClock(),
        Throttle(transactions, keys),
        refresh_lifetime=timedelta(days=1),
    )


@pytest.fixture
def accounts(make: Callable[[], Accounts]) -> Iterator[Accounts]:
    accounts = make()
    accounts.register(EMAIL, PASSWORD, None)
    yield accounts
    bind_request_id(None)


class Age:
    """How long ago every failure was. While it stands still, a slow machine changes nothing."""

    def __init__(self, sql: RunSql) -> None:
        self._sql = sql

    def set(self, seconds: float) -> None:
        age = timedelta(seconds=seconds)
        self._sql("update failed_attempts set failed_at = clock_timestamp() - :age", age=age)

    def stand_still(self) -> None:
        self.set(-3600)

    def pass_days(self, days: float) -> None:
        self.set(days * 86_400)
        age = timedelta(days=days)
        self._sql("update failed_attempts set succeeded_at = succeeded_at - :age", age=age)


@pytest.fixture
def age(sql: RunSql) -> Age:
    return Age(sql)


def come_from(address: str | None) -> None:
    bind_request_id(None, address)


def outcome(attempt: Callable[[], object]) -> str:
    """The code of the refusal, or what was answered."""
    try:
        attempt()
    except AtomError as refused:
        return refused.code
    return "fine"


def log_in(accounts: Accounts, email: str = EMAIL, password: str = WRONG) -> str:
    return outcome(lambda: accounts.log_in(email, password))


def fail(accounts: Accounts, times: int, email: str = EMAIL) -> list[str]:
    return [log_in(accounts, email) for _ in range(times)]


def wait_told(attempt: Callable[[], object]) -> float:
    with pytest.raises(TooManyRequests) as refused:
        attempt()
    assert refused.value.code == "too_many_attempts"
    return refused.value.retry_after


def bearer(pair: TokenPair) -> Principal:
    return TOKENS.read(pair.access_token)


@pytest.mark.parametrize("kind", ["wrong password", "unknown address", "deleted account"])
def test_a_failed_login_is_the_same_work_and_the_same_answers_whoever_it_is(
    accounts: Accounts, passwords: Counting, age: Age, kind: str
) -> None:
    come_from(HOME)
    if kind == "deleted account":
        _, pair = accounts.register("gone@example.org", PASSWORD, None)
        accounts.delete(bearer(pair), PASSWORD)
    email = {"wrong password": EMAIL, "unknown address": UNKNOWN}.get(kind, "gone@example.org")
    passwords.done.clear()
    assert fail(accounts, 5, email) == ["invalid_credentials"] * 5
    age.stand_still()
    assert fail(accounts, 2, email) == ["too_many_attempts"] * 2
    assert passwords.done == ["verify"] * 5


def test_after_five_failures_even_the_right_password_waits_a_moment_that_doubles(
    accounts: Accounts, age: Age
) -> None:
    come_from(HOME)
    fail(accounts, 5)
    for expected in (1, 2, 4, 8):
        age.stand_still()
        for password in (PASSWORD, WRONG):
            told = wait_told(lambda: accounts.log_in(EMAIL, password))  # noqa: B023
            assert told == expected, "asking costs nothing"
        age.set(expected)
        assert log_in(accounts) == "invalid_credentials"
    age.set(16)
    assert log_in(accounts, password=PASSWORD) == "fine"
    assert fail(accounts, 5) == ["invalid_credentials"] * 5, "all is forgiven"


def test_failures_are_shared_by_all_processes(
    accounts: Accounts, make: Callable[[], Accounts], age: Age
) -> None:
    come_from(HOME)
    fail(accounts, 3)
    assert fail(make(), 2) == ["invalid_credentials"] * 2
    age.stand_still()
    assert fail(make(), 1) == ["too_many_attempts"]


def test_many_attempts_at_once_are_no_more_than_one_after_the_other(
    accounts: Accounts, age: Age, sql: RunSql
) -> None:
    def attempt(_: int) -> str:
        come_from(HOME)
        return log_in(accounts)

    attempt(0)
    sql("update failed_attempts set failures = 12")
    age.set(128)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(12)))
    assert outcomes.count("invalid_credentials") == 1


def test_an_account_is_slowed_from_everywhere_but_its_owner_at_home_is_not(
    accounts: Accounts, age: Age
) -> None:
    come_from(HOME)
    assert log_in(accounts, password=PASSWORD) == "fine"
    for number in range(20):
        come_from(f"203.0.113.{number}")
        assert log_in(accounts) == "invalid_credentials"
    age.stand_still()
    come_from(ELSEWHERE)
    assert wait_told(lambda: accounts.log_in(EMAIL, PASSWORD)) == 1
    come_from(HOME)
    assert log_in(accounts, password=PASSWORD) == "fine"
    come_from(ELSEWHERE)
    age.set(60)
    assert log_in(accounts, password=PASSWORD) == "fine"


def test_the_owner_at_home_is_known_for_ninety_days(
    accounts: Accounts, age: Age, sql: RunSql
) -> None:
    come_from(HOME)
    for days, said in ((0, "fine"), (89, "fine"), (91, "too_many_attempts")):
        assert log_in(accounts, password=PASSWORD) == "fine"
        age.pass_days(days)
        sql("update failed_attempts set failures = 50 where succeeded_at is null")
        age.set(10)
        assert log_in(accounts, password=PASSWORD) == said
        age.set(3600)


def test_an_address_that_tries_many_accounts_is_slowed_even_where_one_is_its_own(
    accounts: Accounts, age: Age
) -> None:
    come_from(ELSEWHERE)
    for number in range(49):
        assert log_in(accounts, f"{number}@example.org") == "invalid_credentials"
    assert log_in(accounts, password=PASSWORD) == "fine"
    assert log_in(accounts, "49@example.org") == "invalid_credentials"
    age.stand_still()
    assert log_in(accounts, "50@example.org") == "too_many_attempts"
    come_from(HOME)
    assert log_in(accounts, "50@example.org") == "invalid_credentials"


def test_a_subscriber_with_very_many_addresses_is_one(accounts: Accounts, age: Age) -> None:
    for number in range(1, 6):
        come_from(f"2001:db8::{number}")
        assert log_in(accounts) == "invalid_credentials"
    age.stand_still()
    come_from("2001:db8::ffff:6")
    assert log_in(accounts) == "too_many_attempts"
    come_from("2001:db8:0:1::1")
    assert log_in(accounts) == "invalid_credentials"


def test_an_hour_without_failures_forgets_them(accounts: Accounts, age: Age) -> None:
    come_from(HOME)
    fail(accounts, 5)
    age.set(3600)
    assert fail(accounts, 5) == ["invalid_credentials"] * 5
    age.stand_still()
    assert fail(accounts, 1) == ["too_many_attempts"]


def test_registering_is_slowed_by_address_whether_the_account_is_new_or_taken(
    accounts: Accounts, age: Age
) -> None:
    come_from(ELSEWHERE)
    for number in range(10):
        accounts.register(f"{number}@example.org", PASSWORD, None)
        with pytest.raises(Conflict):
            accounts.register(EMAIL, PASSWORD, None)
    age.stand_still()
    for email in (EMAIL, UNKNOWN):
        assert wait_told(lambda: accounts.register(email, PASSWORD, None)) == 1  # noqa: B023
    come_from(HOME)
    accounts.register(UNKNOWN, PASSWORD, None)


def test_making_up_refresh_tokens_is_slowed_and_using_good_ones_is_not(
    accounts: Accounts, age: Age
) -> None:
    come_from(ELSEWHERE)
    pair = accounts.log_in(EMAIL, PASSWORD)
    for number in range(50):
        assert outcome(lambda: accounts.refresh(f"atr_{number}")) == "invalid_refresh_token"  # noqa: B023
        if number < 5:
            pair = accounts.refresh(pair.refresh_token)
    age.stand_still()
    assert outcome(lambda: accounts.refresh(pair.refresh_token)) == "too_many_attempts"
    come_from(HOME)
    accounts.refresh(pair.refresh_token)


def test_whoever_is_logged_in_cannot_guess_the_password_either(
    accounts: Accounts, age: Age
) -> None:
    principal = bearer(accounts.log_in(EMAIL, PASSWORD))

    def change(current: str) -> str:
        return outcome(lambda: accounts.change_password(principal, current, "another long one"))

    def leave() -> str:
        return outcome(lambda: accounts.delete(principal, WRONG))

    said = [change(WRONG), leave(), change(WRONG), leave(), change(WRONG)]
    assert said == ["wrong_password"] * 5
    age.stand_still()
    assert [leave(), change(PASSWORD)] == ["too_many_attempts"] * 2
    age.set(1)
    assert change(PASSWORD) == "fine"


def test_changing_the_password_ends_every_session_and_opens_one(accounts: Accounts) -> None:
    pairs = [accounts.log_in(EMAIL, PASSWORD) for _ in range(2)]
    other = accounts.register(UNKNOWN, PASSWORD, None)[1]
    fresh = accounts.change_password(bearer(pairs[0]), PASSWORD, "another long one", agent="curl")
    for pair in pairs:
        assert outcome(lambda: accounts.me(bearer(pair))) == "session_ended"  # noqa: B023
        assert outcome(lambda: accounts.refresh(pair.refresh_token)) == "invalid_refresh_token"  # noqa: B023
    assert accounts.me(bearer(fresh)).email == EMAIL
    accounts.refresh(fresh.refresh_token)
    accounts.me(bearer(other))
    assert log_in(accounts, password=PASSWORD) == "invalid_credentials"
    assert log_in(accounts, password="another long one") == "fine"


def test_a_login_by_the_old_password_that_is_under_way_opens_no_session(
    accounts: Accounts, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = bearer(accounts.log_in(EMAIL, PASSWORD))
    verify = passwords.verify

    def verify_slowly(password: str, hashed: str) -> bool:
        monkeypatch.setattr(passwords, "verify", verify)
        accounts.change_password(principal, PASSWORD, "another long one")
        return verify(password, hashed)

    monkeypatch.setattr(passwords, "verify", verify_slowly)
    with pytest.raises(Unauthenticated) as refused:
        accounts.log_in(EMAIL, PASSWORD)
    assert refused.value.code == "invalid_credentials"


def test_of_two_changes_at_once_the_second_finds_the_password_wrong(
    accounts: Accounts, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bearer(accounts.log_in(EMAIL, PASSWORD))
    second = accounts.operator_acting_for(EMAIL)
    verify = passwords.verify

    def verify_slowly(password: str, hashed: str) -> bool:
        monkeypatch.setattr(passwords, "verify", verify)
        accounts.change_password(first, PASSWORD, "another long one")
        return verify(password, hashed)

    monkeypatch.setattr(passwords, "verify", verify_slowly)
    with pytest.raises(Forbidden):
        accounts.change_password(second, PASSWORD, "a third long one")
    assert log_in(accounts, password="another long one") == "fine"


def test_the_table_tells_no_address_and_is_swept(
    accounts: Accounts, age: Age, sql: RunSql, transactions: PostgresTransactions
) -> None:
    come_from(HOME)
    fail(accounts, 1, UNKNOWN)
    assert log_in(accounts, password=PASSWORD) == "fine"
    rows = str(sql("select key::text, encode(key, 'escape'), * from failed_attempts"))
    assert HOME not in rows
    assert "example.org" not in rows
    assert len(sql("select from failed_attempts")) == 5
    swept = []
    for days in (0, 1, 91):
        age.pass_days(days)
        with transactions.worker() as work:
            swept.append(work.sweep()["failed_attempts"])
    assert swept == [0, 4, 1], "where an account is used from is kept the longest"
