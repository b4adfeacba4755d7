"""The tables, as SQLAlchemy Core knows them.

Invariant: equal to the schema that ``migrations/`` makes; a test compares the two. Constraints
that only PostgreSQL checks, policies and rights are written in the migrations alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

metadata = MetaData()

WORKER_CHANNEL = "atom_index"
"""The NOTIFY channel on which new work for the index is announced."""

CONSISTENCY_CHANNEL = "atom_consistency"
"""The NOTIFY channel on which runs of check and repair are announced."""

_NOW = text("now()")


def _time(name: str, *, nullable: bool = True, default: bool = False) -> Column[object]:
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable and not default,
        server_default=_NOW if default else None,
    )


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("normalized_email", Text, nullable=False),
    Column("display_name", Text),
    Column("role", Text, nullable=False),
    _time("created_at", default=True),
    _time("updated_at", default=True),
    UniqueConstraint("normalized_email", name="users_email_key"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("password_hash", Text, nullable=False),
    _time("updated_at", default=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("agent", Text),
    _time("created_at", default=True),
    _time("revoked_at"),
    Column("address", Text),
    _time("refreshed_at", default=True),
    _time("expires_at"),
    Index("sessions_by_user", "user_id"),
    Index("sessions_by_expiry", "expires_at"),
    Index("sessions_ended", "revoked_at", postgresql_where=text("revoked_at is not null")),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    _time("created_at", default=True),
    _time("expires_at", nullable=False),
    _time("used_at"),
    Index("refresh_tokens_by_session", "session_id"),
    Index("refresh_tokens_by_expiry", "expires_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _time("created_at", default=True),
    _time("expires_at"),
    _time("last_used_at"),
    Index("api_keys_by_owner", "owner_id", "id"),
)

items = Table(
    "items",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("content_revision", BigInteger, nullable=False, server_default="1"),
    Column("content_hash", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text),
    Column("external_id", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    _time("created_at", default=True),
    _time("updated_at", default=True),
    _time("happens_at"),
    _time("over_at"),
    Column("search", TSVECTOR, Computed("atom_search_vector(title, text)", persisted=True)),
    UniqueConstraint("owner_id", "kind", "external_id", name="items_external_id_key"),
    UniqueConstraint("id", "owner_id", name="items_owner_key"),
    Index("items_by_owner", "owner_id", "kind", "id"),
    Index(
        "items_by_time",
        "owner_id",
        "happens_at",
        postgresql_where=text("happens_at is not null"),
    ),
    Index(
        "items_by_end",
        "owner_id",
        "over_at",
        "happens_at",
        "id",
        postgresql_where=text("over_at is not null"),
    ),
    Index(
        "items_search",
        "owner_id",
        "search",
        "tags",
        "metadata",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    ),
)

lease_fence = Sequence("lease_fence", metadata=metadata)

index_entries = Table(
    "index_entries",
    metadata,
    Column("item_id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("leased_revision", BigInteger),
    Column("indexed_revision", BigInteger, nullable=False, server_default="0"),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False),
    _time("due_at", nullable=False),
    Column("fence", BigInteger),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("holders", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("spec", Text),
    Column("chunk_count", Integer, nullable=False, server_default="0"),
    _time("requested_at", nullable=False),
    _time("settled_at"),
    Index(
        "index_entries_fresh",
        "due_at",
        postgresql_where=text("state in ('due', 'leased') and attempts < 2"),
    ),
    Index(
        "index_entries_suspect",
        "due_at",
        postgresql_where=text("state in ('due', 'leased') and attempts >= 2"),
    ),
    Index(
        "index_entries_waiting",
        "requested_at",
        postgresql_where=text("state in ('due', 'leased')"),
    ),
    Index("index_entries_parked", "requested_at", postgresql_where=text("state = 'parked'")),
    Index("index_entries_settled", "spec", postgresql_where=text("state = 'settled'")),
    Index("index_entries_by_owner", "owner_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _time("created_at", default=True),
    Index("idempotency_keys_by_age", "created_at"),
)

consistency_runs = Table(
    "consistency_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("requested_by", Uuid, ForeignKey("users.id", ondelete="SET NULL")),
    _time("requested_at", default=True),
    _time("started_at"),
    _time("finished_at"),
    Column("drift", JSONB),
    Column("report", JSONB),
    Column("reason", Text),
    Index(
        "consistency_runs_queued",
        "kind",
        "dry_run",
        unique=True,
        postgresql_where=text("state = 'queued'"),
    ),
)

configuration = Table(
    "configuration",
    metadata,
    Column("key", Text, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    _time("updated_at", default=True),
    Column("updated_by", Uuid, ForeignKey("users.id", ondelete="SET NULL")),
)

consistency_totals = Table(
    "consistency_totals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("total", Double, nullable=False, server_default="0"),
)

probes = Table(
    "probes",
    metadata,
    Column("name", Text, primary_key=True),
    _time("written_at", nullable=False),
)

vector_store = Table(
    "vector_store",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("store_id", Uuid, nullable=False),
    Column("generation", BigInteger, nullable=False),
    _time("changed_at", default=True),
)
