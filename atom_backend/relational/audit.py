"""The audit trail (role ``atom_app``; a policy shows it to administrators alone).

Invariant: nothing here writes an entry; triggers on the tables do (``walls``), and for what is no
write, the function ``atom_note``.
"""

from __future__ import annotations

import operator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.audit import AuditAction, AuditEntry, AuditListing
from atom_backend.domain.resources.registry import SEARCHABLE
from atom_backend.relational.tables import metadata

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("user_id", sa.Uuid),
    sa.Column("session_id", sa.Uuid),
    sa.Column("request_id", sa.Text),
    sa.Column("remote_address", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("item_id", sa.Uuid, nullable=False),
    sa.Column("revision", sa.BigInteger),
    sa.Column(
        "api_key_id",
        sa.Uuid,
        server_default=sa.text(
            "(NULLIF(current_setting('atom.api_key_id'::text, true), ''::text))::uuid"
        ),
    ),
    sa.Index("audit_entries_by_user", "user_id", "id"),
    sa.Index("audit_entries_by_item", "item_id", "id"),
    sa.Index("audit_entries_by_time", "at", postgresql_using="brin"),
)

# The trigger on ``items`` knows kinds; everybody else calls resources by their plural.
_NAMES = {kind.value: one.name for kind, one in SEARCHABLE.items()}
_KINDS = {name: kind for kind, name in _NAMES.items()}


class PostgresAuditTrail:
    """The entries that the transaction's owner may see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listing(self, listing: AuditListing) -> list[AuditEntry]:
        entries = audit_entries.c
        resource = listing.resource
        conditions = (
            (entries.id, operator.lt, listing.after),
            (entries.user_id, operator.eq, listing.user_id),
            (entries.resource, operator.eq, resource and _KINDS.get(resource, resource)),
            (entries.item_id, operator.eq, listing.item_id),
            (entries.action, operator.eq, listing.action and listing.action.value),
            (entries.remote_address, operator.eq, listing.remote_address),
            (entries.at, operator.ge, listing.since),
            (entries.at, operator.lt, listing.until),
        )
        asked = [test(column, value) for column, test, value in conditions if value is not None]
        query = sa.select(audit_entries).where(*asked).order_by(entries.id.desc())
        return [_as_entry(row) for row in self._connection.execute(query.limit(listing.limit))]

    def note(self, action: AuditAction, resource: str, item_id: UUID) -> None:
        noted = sa.func.atom_note(action.value, resource, sa.cast(item_id, sa.Uuid))
        self._connection.execute(sa.select(noted))


def _as_entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        user_id=row.user_id,
        session_id=row.session_id,
        api_key_id=row.api_key_id,
        request_id=row.request_id,
        remote_address=row.remote_address,
        action=AuditAction(row.action),
        resource=_NAMES.get(row.resource, row.resource),
        item_id=row.item_id,
        revision=row.revision,
    )
