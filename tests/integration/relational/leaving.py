"""An account with a row in every table, its deletion, and what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime

from atom_backend.clock import new_id
from atom_backend.domain.accounts import refresh_digest
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.principals import Principal
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.queue import settle
from tests.making import a_document, a_user

TOKEN = refresh_digest("token")


def an_account_with_everything(transactions: PostgresTransactions) -> Principal:
    """A row in every table, and a document that is indexed."""
    owner = a_user(transactions, "ada@example.org")
    a_document(transactions, owner)
    settle(transactions)
    with transactions.owner(owner) as work:
        work.idempotency.store("key", StoredResponse(b"", 200, {}, b""))
    session_id = new_id()
    with transactions.sign_in() as signing_in:
        signing_in.open_session(session_id, owner.user_id, None)
        signing_in.add_refresh_token(TOKEN, session_id, datetime.now(UTC))
    return owner


def leave(transactions: PostgresTransactions, owner: Principal) -> None:
    with transactions.owner(owner) as work:
        work.account.remove()
        work.index.bury_all()


def rows_left(sql: RunSql, owner: Principal) -> dict[str, int]:
    """Of everything that belongs to an account; tombstones do not count."""
    return {
        table: sql(f"select count(*) from {table} where {condition}", owner=owner.user_id)[0][0]
        for table, condition in {
            "users": "id = :owner",
            "credentials": "user_id = :owner",
            "sessions": "user_id = :owner",
            "refresh_tokens": "session_id in (select id from sessions where user_id = :owner)",
            "items": "owner_id = :owner",
            "documents": "owner_id = :owner",
            "idempotency_keys": "owner_id = :owner",
            "index_entries": "owner_id = :owner and not deleted",
        }.items()
    }
