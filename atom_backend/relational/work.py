"""What an owner's transaction and the worker's transaction offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from atom_backend.domain.items import Kind, Source
from atom_backend.domain.resources.resource import Resource
from atom_backend.errors import Unauthenticated
from atom_backend.relational import attempts
from atom_backend.relational.accounts import PostgresOwnAccount
from atom_backend.relational.api_keys import PostgresOwnApiKeys
from atom_backend.relational.attempts import failed_attempts
from atom_backend.relational.audit import PostgresAuditTrail
from atom_backend.relational.configuration import PostgresConfiguration
from atom_backend.relational.consistency_runs import PostgresConsistencyRuns
from atom_backend.relational.conversations import PostgresConversations
from atom_backend.relational.erasures import PostgresErasures, PostgresOwnErasures
from atom_backend.relational.idempotency import PostgresIdempotency
from atom_backend.relational.items import PostgresItems
from atom_backend.relational.ledger import PostgresLedger
from atom_backend.relational.oauth_flows import PostgresFlows
from atom_backend.relational.oauth_grants import PostgresGrants
from atom_backend.relational.oauth_tables import oauth_flows
from atom_backend.relational.owner_index import PostgresOwnerIndex
from atom_backend.relational.records import PostgresRecords
from atom_backend.relational.repairs import PostgresRepairs
from atom_backend.relational.run_requests import PostgresRunRequests
from atom_backend.relational.sessions import PostgresOwnSessions
from atom_backend.relational.store_record import PostgresStoreRecord
from atom_backend.relational.tables import (
    consistency_runs,
    idempotency_keys,
    items,
    metadata,
    refresh_tokens,
    sessions,
    users,
)
from atom_backend.relational.worker_index import PostgresWorkerIndex


class PostgresOwnerWork:
    """A transaction on one owner's rows."""

    def __init__(self, connection: Connection, owner_id: UUID, keep_answers: timedelta) -> None:
        self.owner_id = owner_id
        self._connection = connection
        self.items = PostgresItems(connection)
        self.index = PostgresOwnerIndex(connection, owner_id)
        self.idempotency = PostgresIdempotency(connection, owner_id, keep_answers)
        self.account = PostgresOwnAccount(connection, owner_id)
        self.ledger = PostgresLedger(connection)
        self.consistency = PostgresRunRequests(connection, owner_id)
        self.configuration = PostgresConfiguration(connection)
        self.audit = PostgresAuditTrail(connection)
        self.erasures = PostgresOwnErasures(connection, owner_id)
        self.conversations = PostgresConversations(connection, owner_id)
        self.api_keys = PostgresOwnApiKeys(connection, owner_id)
        self.sessions = PostgresOwnSessions(connection, owner_id)
        self.grants = PostgresGrants(connection, owner_id)
        self.flows = PostgresFlows(connection, owner_id)

    def records(self, resource: Resource) -> PostgresRecords:
        return PostgresRecords(self._connection, self.owner_id, resource)

    def take_turn(self) -> None:
        # Deleting the account takes this row first, too, so that the two can never deadlock; new
        # rows that refer to it are not held up.
        own = sa.select(users.c.id).where(users.c.id == self.owner_id)
        if self._connection.scalar(own.with_for_update(key_share=True)) is None:
            raise Unauthenticated("This session has ended: log in again.", code="session_ended")


class PostgresWorkerWork:
    """A transaction of the worker."""

    def __init__(self, connection: Connection, keep_answers: timedelta) -> None:
        self._connection = connection
        self._keep_answers = keep_answers
        self.index = PostgresWorkerIndex(connection)
        self.repairs = PostgresRepairs(connection)
        self.consistency = PostgresConsistencyRuns(connection)
        self.store = PostgresStoreRecord(connection)
        self.erasures = PostgresErasures(connection)

    def sources(self, item_ids: Sequence[UUID]) -> Mapping[UUID, Source]:
        rows = self._connection.execute(
            sa.select(
                items.c.id,
                items.c.owner_id,
                items.c.kind,
                items.c.content_revision,
                items.c.title,
                items.c.text,
            ).where(items.c.id == sa.any_(sa.literal(list(item_ids), ARRAY(sa.Uuid))))
        )
        return {
            row.id: Source(
                item_id=row.id,
                owner_id=row.owner_id,
                kind=Kind(row.kind),
                revision=row.content_revision,
                title=row.title,
                text=row.text,
            )
            for row in rows
        }

    def sweep(self) -> Mapping[str, int]:
        answers = sa.delete(idempotency_keys).where(
            idempotency_keys.c.created_at <= sa.func.now() - self._keep_answers
        )
        tokens = sa.delete(refresh_tokens).where(refresh_tokens.c.expires_at <= sa.func.now())
        flows = sa.delete(oauth_flows).where(oauth_flows.c.expires_at <= sa.func.now())
        over = sa.delete(sessions).where(
            sa.or_(sessions.c.revoked_at.is_not(None), sessions.c.expires_at <= sa.func.now())
        )
        return {
            idempotency_keys.name: self._connection.execute(answers).rowcount,
            refresh_tokens.name: self._connection.execute(tokens).rowcount,
            oauth_flows.name: self._connection.execute(flows).rowcount,
            sessions.name: self._connection.execute(over).rowcount,
            failed_attempts.name: attempts.sweep(self._connection),
            consistency_runs.name: self.consistency.sweep(),
        }

    def sizes(self) -> Mapping[str, int]:
        rows = self._connection.execute(
            sa.text(
                "select relname, n_live_tup from pg_stat_user_tables"
                " where schemaname = 'public' and relname = any(:names)"
            ),
            {"names": list(metadata.tables)},
        )
        return {row.relname: row.n_live_tup for row in rows}
