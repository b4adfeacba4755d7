"""The tables of OAuth grants and of authorizations under way, and the canary of the vault.

Invariant: what is ``LargeBinary`` here is sealed by the vault, or a digest.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from atom_backend.relational.tables import metadata

_NOW = sa.text("now()")
_TIME = sa.DateTime(timezone=True)


def _owner() -> sa.Column[object]:
    owner = sa.ForeignKey("users.id", ondelete="CASCADE")
    return sa.Column("owner_id", sa.Uuid, owner, nullable=False)


oauth_grants = sa.Table(
    "oauth_grants",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _owner(),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("access_token", sa.LargeBinary, nullable=False),
    sa.Column("refresh_token", sa.LargeBinary),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("issued_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME),
    sa.Column("state", sa.Text, nullable=False, server_default="active"),
    sa.Column("reason", sa.Text),
    sa.Column("last_refreshed_at", _TIME),
    sa.Column("last_used_at", _TIME),
    sa.Column("failed_at", _TIME),
    sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
    sa.Column("updated_at", _TIME, nullable=False, server_default=_NOW),
    sa.UniqueConstraint(
        *("owner_id", "provider", "account"),
        name="oauth_grants_key",
        postgresql_nulls_not_distinct=True,
    ),
    sa.Index("oauth_grants_by_owner", "owner_id", "id"),
)

oauth_flows = sa.Table(
    "oauth_flows",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _owner(),
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE")),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("state_digest", sa.LargeBinary, nullable=False),
    sa.Column("browser_digest", sa.LargeBinary, nullable=False),
    sa.Column("verifier", sa.LargeBinary, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("return_to", sa.Text),
    sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
    sa.Column("expires_at", _TIME, nullable=False),
    sa.UniqueConstraint("state_digest", name="oauth_flows_state_key"),
    sa.Index("oauth_flows_by_owner", "owner_id"),
    sa.Index("oauth_flows_by_session", "session_id"),
    sa.Index("oauth_flows_by_expiry", "expires_at"),
)

vault_canary = sa.Table(
    "vault_canary",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
    sa.Column("sealed_at", _TIME, nullable=False, server_default=_NOW),
)
