"""Authorizations that are under way: from the address that a browser is sent to until it is back.

Invariants: a flow is finished once, in time, and by whom it was begun: in the browser that holds
the secret of its cookie, or by its owner (RFC 9700, section 4.7). Of state and cookie only the
digests are stored; both are random (256 bits).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.permissions import Role
from atom_backend.domain.secrets import Place

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Flow:
    """A row of ``oauth_flows``, but for its digests."""

    id: UUID
    owner_id: UUID
    session_id: UUID | None
    provider: str
    account: str | None
    verifier: bytes = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]
    return_to: str | None
    expires_at: datetime

    @property
    def place(self) -> Place:
        """Where the verifier belongs."""
        return flow_place(self.id, self.owner_id)


class Flows(Protocol):
    """The flows of the transaction's owner."""

    def begin(self, flow: Flow, state: str, browser: str) -> None: ...

    def take(self, provider: str, state: str) -> Flow | None:
        """The flow, which is gone with that; None where there is none, or it has expired."""
        ...


class BrowserFlows(Protocol):
    """Everybody's flows, for a browser that comes back."""

    def take(self, provider: str, state: str, browser: str) -> tuple[Flow, Role] | None:
        """As above, for the browser that holds the flow's cookie; with its owner's role."""
        ...


def flow_place(flow_id: UUID, owner_id: UUID) -> Place:
    """Where the verifier of such a flow belongs."""
    return Place("oauth_flows", flow_id, "verifier", owner_id)


def new_random() -> str:
    """A fresh state, or the secret of a cookie."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def digest(random: str) -> bytes:
    """SHA-256; plain is enough, because what is digested is random."""
    return hashlib.sha256(random.encode("utf-8", "surrogatepass")).digest()


def cookie_name(state: str) -> str:
    """Of the cookie that binds a flow to its browser; several may be under way in one."""
    return f"atom_oauth_{digest(state).hex()[:16]}"
