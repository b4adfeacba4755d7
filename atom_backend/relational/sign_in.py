"""Accounts, sessions and refresh tokens, before it is known who is asking (role ``atom_auth``).

Invariant: of a refresh token only its digest is stored, and two uses of one token are one after
the other, so that the second finds it used.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from atom_backend.domain.accounts import Credential, RefreshToken, User, normalized_email
from atom_backend.domain.permissions import Role
from atom_backend.errors import Conflict, NotFound
from atom_backend.relational.accounts import USER_COLUMNS, as_user
from atom_backend.relational.api_keys import PostgresPresentedKeys
from atom_backend.relational.attempts import PostgresAttempts
from atom_backend.relational.configuration import PostgresConfiguration
from atom_backend.relational.locks import lock
from atom_backend.relational.oauth_flows import PostgresBrowserFlows
from atom_backend.relational.tables import credentials, refresh_tokens, sessions, users


class PostgresSignInWork:
    """A transaction on accounts and sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.configuration = PostgresConfiguration(connection)
        self.attempts = PostgresAttempts(connection)
        self.api_keys = PostgresPresentedKeys(connection)
        self.flows = PostgresBrowserFlows(connection)

    def add_user(
        self, user_id: UUID, email: str, display_name: str | None, role: Role, password_hash: str
    ) -> User:
        row = self._connection.execute(
            insert(users)
            .values(
                id=user_id,
                email=email,
                normalized_email=normalized_email(email),
                display_name=display_name,
                role=role.value,
            )
            .on_conflict_do_nothing(constraint="users_email_key")
            .returning(*USER_COLUMNS)
        ).one_or_none()
        if row is None:
            raise Conflict("There is an account with this address already.", code="email_taken")
        self.set_password_hash(user_id, password_hash)
        return as_user(row)

    def count_users(self) -> int:
        lock(self._connection, "accounts")
        return self._connection.execute(sa.select(sa.func.count()).select_from(users)).scalar_one()

    def credential(self, email: str) -> Credential | None:
        row = self._connection.execute(
            sa.select(*USER_COLUMNS, credentials.c.password_hash)
            .join_from(users, credentials)
            .where(users.c.normalized_email == normalized_email(email))
        ).one_or_none()
        return None if row is None else Credential(as_user(row), row.password_hash)

    def still_has(self, user_id: UUID, password_hash: str) -> bool:
        found = self._connection.scalar(
            sa.select(users.c.id)
            .join_from(users, credentials)
            .where(users.c.id == user_id, credentials.c.password_hash == password_hash)
            # The account first, as its deletion does: else either would wait for the other.
            .with_for_update(of=[users, credentials], read=True)
        )
        return found is not None

    def replace_password_hash(self, user_id: UUID, old: str, new: str) -> bool:
        own = sa.select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
        self._connection.execute(own)
        changed = self._connection.execute(
            sa.update(credentials)
            .where(credentials.c.user_id == user_id, credentials.c.password_hash == old)
            .values(password_hash=new, updated_at=sa.func.now())
        )
        return changed.rowcount == 1

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        values = {"password_hash": password_hash, "updated_at": sa.func.now()}
        self._connection.execute(
            insert(credentials)
            .values(user_id=user_id, **values)
            .on_conflict_do_update(index_elements=[credentials.c.user_id], set_=values)
        )

    def set_role(self, user_id: UUID, role: Role) -> None:
        """Raises NotFound."""
        changed = self._connection.execute(
            sa.update(users)
            .where(users.c.id == user_id)
            .values(role=role.value, updated_at=sa.func.now())
        )
        if not changed.rowcount:
            raise NotFound()

    def open_session(
        self,
        session_id: UUID,
        user_id: UUID,
        agent: str | None,
        *,
        address: str | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        self._connection.execute(
            sa.insert(sessions).values(
                id=session_id, user_id=user_id, agent=agent, address=address, expires_at=expires_at
            )
        )

    def renew_session(
        self, session_id: UUID, agent: str | None, *, address: str | None, expires_at: datetime
    ) -> None:
        seen = {"agent": agent, "address": address, "expires_at": expires_at}
        self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == session_id)
            .values(**seen, refreshed_at=sa.func.now())
        )

    def close_session(self, session_id: UUID) -> None:
        self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == session_id, sessions.c.revoked_at.is_(None))
            .values(revoked_at=sa.func.now())
        )

    def close_sessions(self, user_id: UUID) -> None:
        self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
            .values(revoked_at=sa.func.now())
        )

    def add_refresh_token(self, digest: bytes, session_id: UUID, expires_at: datetime) -> None:
        self._connection.execute(
            sa.insert(refresh_tokens).values(
                digest=digest, session_id=session_id, expires_at=expires_at
            )
        )

    def refresh_token(self, digest: bytes) -> RefreshToken | None:
        row = self._connection.execute(
            sa.select(
                refresh_tokens,
                sessions.c.user_id,
                sessions.c.revoked_at.is_not(None).label("revoked"),
                users.c.role,
            )
            .join_from(refresh_tokens, sessions)
            .join(users)
            .where(refresh_tokens.c.digest == digest)
            # The account first, as its deletion does: else either would wait for the other.
            .with_for_update(of=[users, refresh_tokens], key_share=True)
        ).one_or_none()
        if row is None:
            return None
        return RefreshToken(
            digest=bytes(row.digest),
            session_id=row.session_id,
            user_id=row.user_id,
            role=Role(row.role),
            expires_at=row.expires_at,
            used=row.used_at is not None,
            revoked=row.revoked,
        )

    def use_refresh_token(self, digest: bytes) -> None:
        self._connection.execute(
            sa.update(refresh_tokens)
            .where(refresh_tokens.c.digest == digest, refresh_tokens.c.used_at.is_(None))
            .values(used_at=sa.func.now())
        )
