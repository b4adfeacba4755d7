"""Authorizations under way: begun by their owner, finished by the owner or in the same browser.

Invariant: a flow is taken by one statement, so that of two who come with it one gets it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.oauth_flows import Flow, digest
from atom_backend.domain.permissions import Role
from atom_backend.relational.oauth_tables import oauth_flows as flows
from atom_backend.relational.tables import users

_COLUMNS = (
    *(flows.c.id, flows.c.owner_id, flows.c.session_id, flows.c.provider, flows.c.account),
    *(flows.c.verifier, flows.c.redirect_uri, flows.c.scopes, flows.c.return_to),
    flows.c.expires_at,
)


class PostgresFlows:
    """The port ``Flows`` (role ``atom_app``)."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def begin(self, flow: Flow, state: str, browser: str) -> None:
        self._connection.execute(
            sa.insert(flows).values(
                **{column.name: getattr(flow, column.name) for column in _COLUMNS},
                state_digest=digest(state),
                browser_digest=digest(browser),
            )
        )

    def take(self, provider: str, state: str) -> Flow | None:
        return _taken(self._connection, provider, state, flows.c.owner_id == self._owner_id)


class PostgresBrowserFlows:
    """The port ``BrowserFlows`` (role ``atom_auth``)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, provider: str, state: str, browser: str) -> tuple[Flow, Role] | None:
        here = flows.c.browser_digest == digest(browser)
        flow = _taken(self._connection, provider, state, here)
        if flow is None:
            return None
        role = sa.select(users.c.role).where(users.c.id == flow.owner_id)
        return flow, Role(self._connection.execute(role).scalar_one())


def _taken(
    connection: Connection, provider: str, state: str, condition: sa.ColumnElement[bool]
) -> Flow | None:
    row = connection.execute(
        sa.delete(flows)
        .where(flows.c.state_digest == digest(state), flows.c.provider == provider, condition)
        .where(flows.c.expires_at > sa.func.now())
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else _as_flow(row)


def _as_flow(row: Row[*tuple[Any, ...]]) -> Flow:
    values: dict[str, Any] = dict(row._mapping)
    return Flow(**{**values, "verifier": bytes(row.verifier), "scopes": tuple(row.scopes)})
