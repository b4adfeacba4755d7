"""PostgreSQL transactions, each begun as the right database role with its owner bound.

Invariant: the first statement of every transaction switches the role, binds the owner, tells the
audit trail where it comes from and limits its time, for this transaction only; without it a login
sees no row, because row-level security is forced. Committed on a clean exit, rolled back on any
error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Engine

from atom_backend.domain.principals import Principal
from atom_backend.errors import DatabaseUnavailable, Unauthenticated
from atom_backend.relational import deadline
from atom_backend.relational.audit_seals import PostgresAuditorWork
from atom_backend.relational.census import PostgresCensus
from atom_backend.relational.locks import try_lock
from atom_backend.relational.prepared import PREPARED
from atom_backend.relational.sign_in import PostgresSignInWork
from atom_backend.relational.tables import probes
from atom_backend.relational.vault import PostgresVaultWork
from atom_backend.relational.work import PostgresOwnerWork, PostgresWorkerWork
from atom_backend.telemetry.context import current_remote_address, current_request_id

_GRACE = 2.0
"""Seconds by which the client's patience exceeds the server's own limit on a statement."""

_BEGIN = sa.text("""
    select concat(
            set_config('role', :role, true), set_config('atom.owner_id', :owner, true),
            set_config('atom.session_id', coalesce(:session, ''), true),
            set_config('atom.api_key_id', coalesce(:key, ''), true),
            set_config('atom.request_id', :request_id, true),
            set_config('atom.remote_address', :remote_address, true),
            set_config('search_path', 'public', true), set_config('timezone', 'UTC', true),
            set_config('statement_timeout', :statement, true),
            set_config('lock_timeout', :lock, true),
            set_config('idle_in_transaction_session_timeout', :idle, true)
        ),
        public.atom_refusal(
            cast(:session as uuid), cast(:key as uuid), :claimed, cast(:subject as uuid)
        ) as refusal
""").execution_options(**PREPARED)


_REFUSALS = {
    "session_ended": "This session has ended: log in again.",
    "role_changed": "The account's role has changed: refresh the token, or wait a minute.",
    "invalid_api_key": "There is no such API key.",
}
"""What a caller is told, by what speaks against it."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """In seconds: one statement, one wait for a lock, one pause between statements (0: any)."""

    statement: float = 30.0
    lock: float = 10.0
    idle: float = 60.0


class PostgresTransactions:
    """Transactions on one pool of connections. ``keep_answers``: the age of idempotency keys."""

    def __init__(
        self,
        engine: Engine,
        *,
        limits: TimeLimits = TimeLimits(),
        probe_limits: TimeLimits = TimeLimits(statement=2.0, lock=2.0, idle=5.0),
        keep_answers: timedelta = timedelta(hours=24),
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._probe_limits = probe_limits
        self._keep_answers = keep_answers

    @contextmanager
    def owner(self, principal: Principal) -> Iterator[PostgresOwnerWork]:
        with self._begin("atom_app", self._limits, principal) as connection:
            yield PostgresOwnerWork(connection, principal.user_id, self._keep_answers)

    @contextmanager
    def snapshot(self, principal: Principal) -> Iterator[PostgresOwnerWork]:
        """The server refuses to write in it."""
        with self._begin("atom_app", self._limits, principal, self._of_one_moment) as connection:
            yield PostgresOwnerWork(connection, principal.user_id, self._keep_answers)

    @contextmanager
    def sign_in(self, principal: Principal | None = None) -> Iterator[PostgresSignInWork]:
        with self._begin("atom_auth", self._limits, principal) as connection:
            yield PostgresSignInWork(connection)

    @contextmanager
    def worker(self) -> Iterator[PostgresWorkerWork]:
        with self._begin("atom_worker", self._limits) as connection:
            yield PostgresWorkerWork(connection, self._keep_answers)

    @contextmanager
    def census(self) -> Iterator[PostgresCensus]:
        """One snapshot; the server refuses to write in it."""
        with self._begin("atom_worker", self._limits, engine=self._of_one_moment) as connection:
            yield PostgresCensus(connection)

    @contextmanager
    def auditor(self) -> Iterator[PostgresAuditorWork]:
        with self._begin("atom_auditor", self._limits) as connection:
            yield PostgresAuditorWork(connection)

    @contextmanager
    def inspection(self) -> Iterator[PostgresAuditorWork]:
        """One snapshot; the server refuses to write in it."""
        with self._begin("atom_auditor", self._limits, engine=self._of_one_moment) as connection:
            yield PostgresAuditorWork(connection)

    @contextmanager
    def vault(self) -> Iterator[PostgresVaultWork]:
        with self._begin("atom_vault", self._limits) as connection:
            yield PostgresVaultWork(connection)

    @contextmanager
    def elected(self, duty: str) -> Iterator[bool]:
        """Whether this process alone may do ``duty`` until the context ends.

        The lock lives in a transaction of its own, which may be idle for as long as the duty
        takes: it holds no snapshot and so keeps nothing from being vacuumed.
        """
        limits = TimeLimits(self._limits.statement, self._limits.lock, idle=0)
        with self._begin("atom_worker", limits) as connection:
            yield try_lock(connection, "duty", duty)

    def probe(self) -> None:
        """A real write and read. Raises DatabaseUnavailable."""
        with self._begin("atom_worker", self._probe_limits) as connection:
            now = sa.func.clock_timestamp()
            written = insert(probes).values(name="health", written_at=now)
            written = written.on_conflict_do_update(
                index_elements=[probes.c.name], set_={"written_at": now}
            )
            wrote = connection.scalar(written.returning(probes.c.written_at))
            read = connection.scalar(sa.select(probes.c.written_at))
            if read != wrote:
                raise DatabaseUnavailable("PostgreSQL did not read back what was written.")

    @property
    def _of_one_moment(self) -> Engine:
        return self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def _begin(
        self,
        role: str,
        limits: TimeLimits,
        principal: Principal | None = None,
        engine: Engine | None = None,
    ) -> Iterator[Connection]:
        settings = _settings(role, limits) | _caller(principal)
        with ExitStack() as stack:
            connection, refusal = _begun(stack, engine or self._engine, settings)
            if refusal:
                raise Unauthenticated(_REFUSALS[refusal], code=refusal)
            with deadline.patience(connection, limits.statement + _GRACE):
                yield connection
                connection.commit()


def _begun(
    stack: ExitStack, engine: Engine, settings: Mapping[str, str | UUID | None]
) -> tuple[Connection, str | None]:
    """A connection in a transaction that has begun, and what speaks against the caller, if so.

    A connection that the pool has kept may have died meanwhile, with a server that was restarted.
    Nothing has happened on it yet, so another one is taken: the failure has emptied the pool.
    """
    connection = stack.enter_context(_connected(engine))
    try:
        return connection, connection.execute(_BEGIN, settings).one().refusal
    except DatabaseUnavailable:
        if not connection.invalidated:
            raise
    connection = stack.enter_context(_connected(engine))
    return connection, connection.execute(_BEGIN, settings).one().refusal


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except sa.exc.TimeoutError:
        raise DatabaseUnavailable("Every connection to PostgreSQL is in use.") from None


def _settings(role: str, limits: TimeLimits) -> dict[str, str | UUID | None]:
    return {
        "role": role,
        "statement": f"{limits.statement * 1000:.0f}ms",
        "lock": f"{limits.lock * 1000:.0f}ms",
        "idle": f"{limits.idle * 1000:.0f}ms",
        "request_id": current_request_id() or "",
        "remote_address": current_remote_address() or "",
    }


def _caller(principal: Principal | None) -> dict[str, str | UUID | None]:
    if principal is None:
        return dict.fromkeys(("session", "key", "claimed", "subject")) | {"owner": ""}
    session, key = principal.session_id, principal.key
    return {
        "owner": str(principal.user_id),
        "session": None if session is None else str(session),
        "key": None if key is None else str(key.id),
        "claimed": principal.role.value,
        "subject": principal.user_id,
    }
