"""The walls around OAuth grants: whose they are, what gets in, and what a service may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.audit import AuditAction
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import AtomError
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.making import a_user

SEALED = b"\1" + b"\xaa" * 90
INSERT = """
    insert into oauth_grants (id, owner_id, provider, account, access_token, refresh_token,
        issued_at) values (:id, :owner, 'example', :account, :access, :refresh, now())
"""
FLOW = """
    insert into oauth_flows (id, owner_id, provider, state_digest, browser_digest, verifier,
        redirect_uri, scopes, expires_at)
    values (:id, :owner, 'example', :state, :browser, :verifier, '', '{}', now() + :lasting)
"""


@pytest.fixture
def app(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def become(app: sa.Connection, who: Principal, grant: UUID | str = "") -> None:
    app.rollback()
    app.execute(
        sa.text(
            "select set_config('role', 'atom_app', true),"
            " set_config('atom.owner_id', :owner, true), set_config('atom.grant_id', :grant, true)"
        ),
        {"owner": str(who.user_id), "grant": str(grant)},
    )


def a_row(sql: RunSql, owner: Principal, **values: object) -> UUID:
    grant = new_id()
    row = {"id": grant, "owner": owner.user_id, "account": None, "access": SEALED}
    sql(INSERT, **{"refresh": SEALED, **row, **values})
    return grant


def seen(app: sa.Connection) -> set[UUID]:
    return set(app.scalars(sa.text("select id from oauth_grants")))


PLAIN = [b"ya29.a0AfH6SMB" * 8, b"\1short", b"\2" + SEALED]


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("column", ["access", "refresh"])
def test_what_is_not_sealed_does_not_get_into_a_grant(
    transactions: PostgresTransactions, sql: RunSql, plain: bytes, column: str
) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=f"oauth_grants_{column}_sealed"):
        a_row(sql, a_user(transactions), **{column: plain})


@pytest.mark.parametrize("plain", PLAIN)
def test_what_is_not_sealed_does_not_get_into_a_flow(
    transactions: PostgresTransactions, sql: RunSql, plain: bytes
) -> None:
    owner = a_user(transactions).user_id
    values = {"id": new_id(), "owner": owner, "state": b"s" * 32, "browser": b"b" * 32}
    with pytest.raises(sa.exc.IntegrityError, match="oauth_flows_sealed"):
        sql(FLOW, **values, verifier=plain, lasting=timedelta(minutes=1))


def test_an_owner_has_one_grant_of_a_provider_and_account(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    for account in (None, "work"):
        a_row(sql, owner, account=account)
        a_row(sql, a_user(transactions), account=account)
        with pytest.raises(sa.exc.IntegrityError, match="oauth_grants_key"):
            a_row(sql, owner, account=account)


def test_a_service_sees_the_one_grant_that_it_names_and_a_user_only_own_ones(
    transactions: PostgresTransactions, sql: RunSql, app: sa.Connection
) -> None:
    owner, other = a_user(transactions), a_user(transactions)
    grant, another = a_row(sql, owner), a_row(sql, other)
    service, admin = (a_user(transactions, role=role) for role in (Role.SERVICE, Role.ADMIN))
    for who, named, found in (
        (owner, "", {grant}),
        (owner, another, {grant}),
        (admin, grant, set[UUID]()),
        (service, "", set[UUID]()),
        (service, grant, {grant}),
    ):
        become(app, who, named)
        assert seen(app) == found
    become(app, service, grant)
    touched = "update oauth_grants set last_used_at = now()"
    assert app.execute(sa.text(touched)).rowcount == 1
    assert app.execute(sa.text("delete from oauth_grants")).rowcount == 0
    become(app, owner, another)
    assert app.execute(sa.text(touched)).rowcount == 1, "the own one"


@pytest.mark.parametrize("column", ["id", "owner_id", "provider", "account", "created_at"])
def test_what_a_ciphertext_is_bound_to_never_changes(
    transactions: PostgresTransactions, sql: RunSql, app: sa.Connection, column: str
) -> None:
    owner = a_user(transactions)
    a_row(sql, owner)
    become(app, owner)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        app.execute(sa.text(f"update oauth_grants set {column} = {column}"))


def test_only_writes_that_raise_the_revision_leave_an_entry_of_their_own(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    grant = a_row(sql, a_user(transactions))
    for change in ("last_used_at = now()", "access_token = access_token", "revision = 2"):
        sql(f"update oauth_grants set {change}")
    sql("delete from oauth_grants")
    rows = sql("select action, revision from audit_entries where item_id = :id", id=grant)
    assert [tuple(row) for row in rows] == [("create", 1), ("change", 2), ("remove", 2)]


def test_a_use_is_noted_with_who_did_it_and_a_write_cannot_be(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    service, grant = a_user(transactions, role=Role.SERVICE), new_id()
    with transactions.owner(service) as work:
        work.audit.note(AuditAction.USE, "oauth_grants", grant)
    found = sql("select user_id, action, resource from audit_entries where item_id = :i", i=grant)
    assert [tuple(row) for row in found] == [(service.user_id, "use", "oauth_grants")]
    with pytest.raises(AtomError), transactions.owner(service) as work:
        work.audit.note(AuditAction.CREATE, "oauth_grants", grant)


def test_expired_flows_are_swept_and_others_stay(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions).user_id
    for number, minutes in enumerate((-1, 1)):
        digest = bytes([number]) * 32
        lasting = timedelta(minutes=minutes)
        values = {"id": new_id(), "owner": owner, "state": digest, "browser": digest}
        sql(FLOW, **values, verifier=SEALED, lasting=lasting)
    with transactions.worker() as worker:
        assert worker.sweep()["oauth_flows"] == 1
    assert [bytes(row.state_digest) for row in sql("select * from oauth_flows")] == [b"\1" * 32]
