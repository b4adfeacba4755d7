"""What signing in can do inside one PostgreSQL transaction (role ``atom_auth``).

Invariant: it sees accounts, sessions and keys, and no content.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.accounts import Credential, RefreshToken, User
from atom_backend.domain.api_keys import PresentedKeys
from atom_backend.domain.configuration import Configuration
from atom_backend.domain.oauth_flows import BrowserFlows
from atom_backend.domain.permissions import Role
from atom_backend.domain.throttling import Attempts


class SignInWork(Protocol):
    """A transaction on accounts and sessions."""

    @property
    def configuration(self) -> Configuration: ...

    @property
    def attempts(self) -> Attempts: ...

    @property
    def flows(self) -> BrowserFlows: ...

    def count_users(self) -> int:
        """How many accounts there are; whoever asks next waits until this transaction ends."""
        ...

    def add_user(
        self, user_id: UUID, email: str, display_name: str | None, role: Role, password_hash: str
    ) -> User:
        """Raises Conflict (code ``email_taken``)."""
        ...

    def credential(self, email: str) -> Credential | None: ...

    def still_has(self, user_id: UUID, password_hash: str) -> bool:
        """Whether this is the account's hash, and stays so until the transaction ends."""
        ...

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None: ...

    def replace_password_hash(self, user_id: UUID, old: str, new: str) -> bool:
        """Whether ``old`` was the account's hash; if so, ``new`` is."""
        ...

    def set_role(self, user_id: UUID, role: Role) -> None: ...

    @property
    def api_keys(self) -> PresentedKeys: ...

    def open_session(
        self,
        session_id: UUID,
        user_id: UUID,
        agent: str | None,
        *,
        address: str | None = None,
        expires_at: datetime | None = None,
    ) -> None: ...

    def renew_session(
        self, session_id: UUID, agent: str | None, *, address: str | None, expires_at: datetime
    ) -> None:
        """Note from where it was refreshed, and until when that is good."""
        ...

    def close_session(self, session_id: UUID) -> None:
        """End the session and with it every token of its family; idempotent."""
        ...

    def close_sessions(self, user_id: UUID) -> None:
        """End every session of the account."""
        ...

    def add_refresh_token(self, digest: bytes, session_id: UUID, expires_at: datetime) -> None: ...

    def refresh_token(self, digest: bytes) -> RefreshToken | None:
        """The token, locked until the transaction ends, so that two uses cannot both succeed."""
        ...

    def use_refresh_token(self, digest: bytes) -> None: ...
