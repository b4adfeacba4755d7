"""Accounts, sessions and refresh tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import Conflict, NotFound, Unauthenticated
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import somebody_waits_for_a_lock, together, until
from tests.making import a_user

TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def a_session(transactions: PostgresTransactions, owner: Principal) -> UUID:
    session_id = new_id()
    with transactions.sign_in() as work:
        work.open_session(session_id, owner.user_id, "a browser")
    return session_id


def a_token(transactions: PostgresTransactions, session_id: UUID, token: str = "token") -> bytes:
    digest = refresh_digest(token)
    with transactions.sign_in() as work:
        work.add_refresh_token(digest, session_id, TOMORROW)
    return digest


def test_an_address_is_kept_as_typed_and_found_without_regard_to_case(
    transactions: PostgresTransactions,
) -> None:
    user_id = new_id()
    with transactions.sign_in() as work:
        added = work.add_user(user_id, "Jörg@Example.org", "Jörg", Role.ADMIN, "hashed")
        found = work.credential("jöRG@example.ORG ")
    assert (added.id, added.email, added.role) == (user_id, "Jörg@Example.org", Role.ADMIN)
    assert found is not None
    assert (found.user, found.password_hash) == (added, "hashed")


def test_an_unknown_address_has_no_credential(transactions: PostgresTransactions) -> None:
    with transactions.sign_in() as work:
        assert work.credential("nobody@example.org") is None


def test_an_address_is_registered_once_even_by_concurrent_requests(
    transactions: PostgresTransactions,
) -> None:
    def register(number: int) -> str:
        try:
            a_user(transactions, "Same@example.org" if number % 2 else "same@example.org")
        except Conflict as refusal:
            return refusal.code
        return "registered"

    assert sorted(together(register, 6)) == ["email_taken"] * 5 + ["registered"]


def test_a_password_and_a_role_can_be_replaced(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions, "a@example.org")
    with transactions.sign_in() as work:
        work.set_password_hash(owner.user_id, "other")
        work.set_role(owner.user_id, Role.SERVICE)
        found = work.credential("a@example.org")
        assert found is not None
        assert (found.password_hash, found.user.role) == ("other", Role.SERVICE)
        with pytest.raises(NotFound):
            work.set_role(new_id(), Role.ADMIN)


def test_an_owner_reads_and_renames_the_own_account(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    with transactions.owner(owner) as work:
        assert work.account.get().id == owner.user_id
        assert work.account.rename("New Name").display_name == "New Name"
        assert work.account.rename(None).display_name is None
    with pytest.raises(NotFound), transactions.owner(Principal(new_id(), None, Role.USER)) as work:
        work.account.get()


def test_a_session_lets_its_user_work_until_it_is_closed(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    session_id = a_session(transactions, owner)
    logged_in = Principal(owner.user_id, session_id, Role.USER)
    with transactions.owner(logged_in) as work:
        assert work.owner_id == owner.user_id
    for _ in range(2):
        with transactions.sign_in() as signing_in:
            signing_in.close_session(session_id)
    with pytest.raises(Unauthenticated) as refusal, transactions.owner(logged_in):
        pass
    assert refusal.value.code == "session_ended"


def test_a_session_is_of_no_use_to_anybody_else(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    session_id = a_session(transactions, owner)
    for claimed in (
        Principal(a_user(transactions).user_id, session_id, Role.USER),
        Principal(owner.user_id, new_id(), Role.USER),
    ):
        with pytest.raises(Unauthenticated), transactions.owner(claimed):
            pass


def test_a_refresh_token_is_found_by_its_digest_with_its_session(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    session_id = a_session(transactions, owner)
    digest = a_token(transactions, session_id)
    with transactions.sign_in() as work:
        token = work.refresh_token(digest)
        assert work.refresh_token(refresh_digest("other")) is None
    assert token is not None
    assert (token.digest, token.session_id, token.user_id) == (digest, session_id, owner.user_id)
    assert (token.role, token.expires_at) == (Role.USER, TOMORROW)
    assert (token.used, token.revoked) == (False, False)


def test_of_two_concurrent_uses_the_second_finds_the_token_used(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    digest = a_token(transactions, a_session(transactions, owner))

    def found_used() -> bool:
        with transactions.sign_in() as work:
            token = work.refresh_token(digest)
            assert token is not None
            return token.used

    with ThreadPoolExecutor(1) as pool:
        with transactions.sign_in() as first:
            assert first.refresh_token(digest) is not None
            second = pool.submit(found_used)
            until(lambda: second.done() or somebody_waits_for_a_lock(sql))
            first.use_refresh_token(digest)
        assert second.result() is True


def test_a_closed_session_revokes_all_its_tokens(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    session_id = a_session(transactions, owner)
    digests = [a_token(transactions, session_id, name) for name in ("a", "b")]
    other = a_token(transactions, a_session(transactions, owner), "c")
    with transactions.sign_in() as work:
        work.close_session(session_id)
        revoked = [work.refresh_token(digest) for digest in (*digests, other)]
    assert [token is not None and token.revoked for token in revoked] == [True, True, False]
