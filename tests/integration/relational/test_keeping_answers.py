"""A repeated request finds the answer of the first, or learns that it is still in progress."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.principals import Principal
from atom_backend.errors import Conflict
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

ANSWER = StoredResponse(b"\x00print", 201, {"ETag": '"1"'}, b'{"id": "\x00\xff"}')


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def claim(transactions: PostgresTransactions, owner: Principal, key: str) -> StoredResponse | None:
    with transactions.owner(owner) as work:
        return work.idempotency.claim(key)


def store(
    transactions: PostgresTransactions,
    owner: Principal,
    key: str,
    answer: StoredResponse = ANSWER,
) -> None:
    with transactions.owner(owner) as work:
        assert work.idempotency.claim(key) is None
        work.idempotency.store(key, answer)


def test_a_stored_answer_comes_back_as_it_was(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    store(transactions, owner, "key")
    assert claim(transactions, owner, "key") == ANSWER
    assert claim(transactions, owner, "other key") is None


def test_a_key_belongs_to_its_owner(transactions: PostgresTransactions, owner: Principal) -> None:
    store(transactions, owner, "key")
    assert claim(transactions, a_user(transactions), "key") is None


def test_a_key_in_use_is_a_conflict_until_its_transaction_ends(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    with transactions.owner(owner) as work:
        assert work.idempotency.claim("key") is None
        with pytest.raises(Conflict) as refusal:
            claim(transactions, owner, "key")
        assert claim(transactions, a_user(transactions), "key") is None
    assert refusal.value.code == "idempotency_in_progress"
    assert claim(transactions, owner, "key") is None


def test_a_request_is_done_once_however_many_arrive_together(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    def request(_: int) -> str:
        try:
            with transactions.owner(owner) as work:
                if work.idempotency.claim("key") is not None:
                    return "repeated"
                work.idempotency.store("key", ANSWER)
                return "done"
        except Conflict:
            return "in progress"

    assert together(request, 8).count("done") == 1


def test_an_old_answer_counts_as_absent_and_may_be_replaced(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    store(transactions, owner, "key")
    sql("update idempotency_keys set created_at = now() - interval '25 hours'")
    newer = replace(ANSWER, status=200)
    store(transactions, owner, "key", newer)
    assert claim(transactions, owner, "key") == newer


def test_a_sweep_removes_sessions_that_have_ended_or_expired_with_their_tokens(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    now = datetime.now(UTC)
    later, ended, expired, bare = (new_id() for _ in range(4))
    with transactions.sign_in() as work:
        for session_id, expires_at in (
            (later, now + timedelta(days=1)),
            (ended, now + timedelta(days=1)),
            (expired, now - timedelta(seconds=1)),
            (bare, None),
        ):
            work.open_session(session_id, owner.user_id, None, expires_at=expires_at)
            work.add_refresh_token(session_id.bytes * 2, session_id, now + timedelta(days=1))
        work.close_session(ended)
    with transactions.worker() as worker:
        assert worker.sweep()["sessions"] == 2
    with transactions.sign_in() as work:
        kept = [one for one in (later, ended, expired, bare) if work.refresh_token(one.bytes * 2)]
    assert kept == [later, bare]
    with transactions.owner(owner) as owned:
        assert {one.id for one in owned.sessions.every()} == {later, bare}


def test_a_sweep_removes_what_has_expired_and_nothing_else(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    store(transactions, owner, "old")
    sql("update idempotency_keys set created_at = now() - interval '25 hours'")
    store(transactions, owner, "new")
    session_id, now = new_id(), datetime.now(UTC)
    with transactions.sign_in() as work:
        work.open_session(session_id, owner.user_id, None)
        work.add_refresh_token(refresh_digest("old"), session_id, now - timedelta(days=1))
        work.add_refresh_token(refresh_digest("new"), session_id, now + timedelta(days=1))
    with transactions.worker() as worker:
        removed = worker.sweep()
    assert (removed["idempotency_keys"], removed["refresh_tokens"]) == (1, 1)
    assert claim(transactions, owner, "new") == ANSWER
    with transactions.sign_in() as work:
        assert work.refresh_token(refresh_digest("new")) is not None
        assert work.refresh_token(refresh_digest("old")) is None
