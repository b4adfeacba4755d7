"""The audit trail: what was written or used, by whom, when, from where; never what it said.

Invariant: the entry of a write is made by the write itself, in its transaction; that of a use, in
the transaction without which it cannot be done. Nobody changes an entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class AuditAction(StrEnum):
    """What a write did to its record; or, after the first three, what was done with it."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"
    AUTHORIZE = "authorize"
    """An authorization was begun."""
    FINISH = "finish"
    USE = "use"
    """A token was handed out."""
    REFRESH = "refresh"
    FAIL = "fail"
    """Something failed, and may succeed the next time."""
    REFUSE = "refuse"
    """Something was refused for good."""
    REVOKE = "revoke"
    ROTATE = "rotate"
    """Everything in the vault is under the key that writes."""
    RETIRE = "retire"
    """A key of the vault was found to be used by nothing any more."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One write, or one use, of one record. ``id`` grows with the order of writing.

    ``user_id`` is null where nobody was logged in: at a registration, or for an operator.
    Of ``session_id`` and ``api_key_id`` one says by what they proved who they are; both are null
    for commands, and so are ``request_id`` and ``remote_address``. ``revision`` is the one that was
    reached or removed; accounts have none, and uses neither.
    """

    id: int
    at: datetime
    user_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None
    request_id: str | None
    remote_address: str | None
    action: AuditAction
    resource: str
    item_id: UUID
    revision: int | None


@dataclass(frozen=True, slots=True)
class AuditListing:
    """Which entries to list, newest first; ``after`` is the ``id`` of the last one seen.

    ``since`` includes its moment, ``until`` does not.
    """

    limit: int
    after: int | None = None
    user_id: UUID | None = None
    resource: str | None = None
    item_id: UUID | None = None
    action: AuditAction | None = None
    remote_address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditTrail(Protocol):
    """Everybody's entries, for an administrator; everybody else sees none."""

    def listing(self, listing: AuditListing) -> list[AuditEntry]: ...

    def note(self, action: AuditAction, resource: str, item_id: UUID) -> None:
        """Leave an entry of a use. The actions of writes are refused: writes leave their own."""
        ...
