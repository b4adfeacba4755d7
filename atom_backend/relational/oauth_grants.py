"""The grants of an owner (role ``atom_app``); a service sees the one that its transaction names.

Invariant: a write of new tokens states all that belongs to them, so that no expiry or failure of
former ones is left beside them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.oauth_grants import Grant, GrantState, SealedTokens
from atom_backend.errors import Conflict, NotFound
from atom_backend.relational.deadline import patience
from atom_backend.relational.oauth_tables import oauth_grants as grants

_USED_TO = timedelta(minutes=1)
"""Uses are noted no closer together than this: a grant that is used a lot is not written as much.
The audit trail has every one of them."""
_GRACE = 2.0
_NOW = sa.func.clock_timestamp()
_CONVERTED = ("revision", "access_token", "refresh_token", "scopes", "state")


class PostgresGrants:
    """The port ``Grants``."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def listing(self, *, limit: int, after: UUID | None, provider: str | None) -> list[Grant]:
        query = sa.select(grants).order_by(grants.c.id).limit(limit)
        if after is not None:
            query = query.where(grants.c.id > after)
        if provider is not None:
            query = query.where(grants.c.provider == provider)
        return [_as_grant(row) for row in self._connection.execute(query)]

    def get(self, grant_id: UUID) -> Grant:
        return self._one(sa.select(grants).where(grants.c.id == grant_id))

    def lend(self, grant_id: UUID) -> None:
        named = sa.func.set_config("atom.grant_id", str(grant_id), True)
        self._connection.execute(sa.select(named))

    def lock(self, grant_id: UUID, *, seconds: float) -> Grant:
        milliseconds = f"{seconds * 1000:.0f}ms"
        limits = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        longer = (sa.func.set_config(name, milliseconds, True) for name in limits)
        self._connection.execute(sa.select(*longer))
        with patience(self._connection, seconds + _GRACE):
            # Sealing anew and deleting wait; inserting what refers to this row need not.
            query = sa.select(grants).where(grants.c.id == grant_id)
            return self._one(query.with_for_update(key_share=True))

    def holder_of(self, provider: str, account: str | None) -> Grant | None:
        row = self._connection.execute(
            sa.select(grants)
            .where(
                grants.c.owner_id == self._owner_id,
                grants.c.provider == provider,
                grants.c.account.is_not_distinct_from(account),
            )
            .with_for_update(key_share=True)
        ).one_or_none()
        return None if row is None else _as_grant(row)

    def add(self, grant_id: UUID, provider: str, account: str | None, held: SealedTokens) -> Grant:
        row = self._connection.execute(
            insert(grants)
            .values(
                id=grant_id,
                owner_id=self._owner_id,
                provider=provider,
                account=account,
                **_written(held),
            )
            .on_conflict_do_nothing(constraint="oauth_grants_key")
            .returning(grants)
        ).one_or_none()
        if row is None:
            raise Conflict("This grant was stored by another request just now.", code="grant_taken")
        return _as_grant(row)

    def replace(self, grant_id: UUID, held: SealedTokens) -> Grant:
        values = {**_written(held), "revision": grants.c.revision + 1}
        return self._one(self._changed(grant_id, values).returning(grants))

    def refreshed(self, grant_id: UUID, held: SealedTokens) -> None:
        values = {**_written(held), "last_refreshed_at": _NOW}
        self._connection.execute(self._changed(grant_id, values))

    def failed(self, grant_id: UUID, reason: str, *, state: GrantState) -> None:
        values = {"reason": reason, "state": state.value, "failed_at": _NOW}
        self._connection.execute(self._changed(grant_id, values))

    def used(self, grant_id: UUID) -> None:
        free = (
            sa.select(grants.c.id)
            .where(
                grants.c.id == grant_id,
                sa.or_(grants.c.last_used_at.is_(None), grants.c.last_used_at < _NOW - _USED_TO),
            )
            .with_for_update(key_share=True, skip_locked=True)
        )
        noted = sa.update(grants).where(grants.c.id.in_(free.scalar_subquery()))
        self._connection.execute(noted.values(last_used_at=_NOW))

    def remove(self, grant_id: UUID) -> None:
        self._connection.execute(sa.delete(grants).where(grants.c.id == grant_id))

    def _changed(self, grant_id: UUID, values: dict[str, Any]) -> sa.Update:
        return sa.update(grants).where(grants.c.id == grant_id).values(**values, updated_at=_NOW)

    def _one(self, statement: sa.Executable) -> Grant:
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound()
        return _as_grant(row)


def _written(held: SealedTokens) -> dict[str, Any]:
    return {
        "access_token": held.access_token,
        "refresh_token": held.refresh_token,
        "scopes": list(held.scopes),
        "issued_at": held.issued_at,
        "expires_at": held.expires_at,
        "state": GrantState.ACTIVE.value,
        "reason": None,
        "failed_at": None,
    }


def _as_grant(row: Row[Any]) -> Grant:
    kept = {name: value for name, value in row._mapping.items() if name not in _CONVERTED}
    return Grant(
        **kept,
        scopes=tuple(row.scopes),
        state=GrantState(row.state),
        access_token=bytes(row.access_token),
        refresh_token=None if row.refresh_token is None else bytes(row.refresh_token),
    )
