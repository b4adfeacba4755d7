"""Grants with sealed tokens, for tests of the vault alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import Place, Secret, Vault
from tests.conftest import RunSql

_INSERT = """
    insert into oauth_grants (id, owner_id, provider, access_token, refresh_token, issued_at)
    values (:id, :owner, :provider, :access, :refresh, now())
"""


@dataclass(frozen=True)
class Grant:
    """A row and what is sealed in it."""

    id: UUID
    owner_id: UUID
    access_token: Secret
    refresh_token: Secret | None
    sealed_access: bytes

    @property
    def access(self) -> tuple[bytes, Place]:
        return self.sealed_access, place(self.id, "access_token", self.owner_id)


def place(grant: UUID, column: str, owner: UUID) -> Place:
    return Place("oauth_grants", grant, column, owner)


def a_grant(sql: RunSql, vault: Vault, owner: Principal, *, refresh: bool = True) -> Grant:
    """A new grant, sealed under the key with which this vault writes."""
    grant, owner_id = new_id(), owner.user_id
    access = Secret(f"access of {grant}")
    again = Secret(f"refresh of {grant}") if refresh else None
    sealed = vault.seal(access, place(grant, "access_token", owner_id))
    values = {
        "id": grant,
        "owner": owner_id,
        "provider": f"provider {grant}",
        "access": sealed,
        "refresh": again and vault.seal(again, place(grant, "refresh_token", owner_id)),
    }
    sql(_INSERT, **values)
    return Grant(grant, owner_id, access, again, sealed)


def a_flow(sql: RunSql, vault: Vault, owner: Principal) -> None:
    """An authorization under way."""
    flow, owner_id = new_id(), owner.user_id
    verifier = vault.seal(Secret("verifier"), Place("oauth_flows", flow, "verifier", owner_id))
    sql(
        """
        insert into oauth_flows (id, owner_id, provider, state_digest, browser_digest, verifier,
            redirect_uri, scopes, expires_at)
        values (:id, :owner, 'example', sha256(:sealed), sha256(:sealed), :sealed, '', '{}', now())
        """,
        id=flow,
        owner=owner_id,
        sealed=verifier,
    )


@contextmanager
def held(url: str, grant: UUID) -> Iterator[sa.Connection]:
    """A transaction that holds this grant, as a refresh does while it asks the provider."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text("select from oauth_grants where id = :id for update"), {"id": grant}
        )
        yield connection


def refresh(
    url: str, vault: Vault, owner_id: UUID, grant: UUID, known: tuple[Secret, Secret | None]
) -> tuple[Secret, Secret | None]:
    """Read the tokens under a lock, be sure that they are the known ones, and write others."""
    places = [place(grant, column, owner_id) for column in ("access_token", "refresh_token")]
    fresh = Secret(f"access {new_id()}"), Secret(f"refresh {new_id()}")
    with held(url, grant) as connection:
        columns = sa.text("select access_token, refresh_token from oauth_grants where id = :id")
        sealed = connection.execute(columns, {"id": grant}).one()
        found = tuple(
            None if one is None else vault.open(bytes(one), where)
            for one, where in zip(sealed, places, strict=True)
        )
        assert found == known
        connection.execute(
            sa.text(
                "update oauth_grants set access_token = :access, refresh_token = :refresh"
                " where id = :id"
            ),
            {
                "id": grant,
                "access": vault.seal(fresh[0], places[0]),
                "refresh": vault.seal(fresh[1], places[1]),
            },
        )
    return fresh
