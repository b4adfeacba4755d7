"""What an owner can do inside one PostgreSQL transaction (role ``atom_app``).

Invariant: it sees that owner's rows and no other. A method that is not here cannot be called on a
user's behalf.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from atom_backend.domain.accounts import User
from atom_backend.domain.api_keys import OwnApiKeys
from atom_backend.domain.audit import AuditTrail
from atom_backend.domain.configuration import Configuration
from atom_backend.domain.consistency import RunRequests
from atom_backend.domain.erasures import OwnErasures
from atom_backend.domain.facets import Counts, Facet
from atom_backend.domain.finance.sums import Ledger
from atom_backend.domain.items import Kind
from atom_backend.domain.messaging.conversations import Conversations
from atom_backend.domain.oauth_flows import Flows
from atom_backend.domain.oauth_grants import Grants
from atom_backend.domain.resources.records import Records
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import SearchFilter
from atom_backend.domain.sessions import OwnSessions


@dataclass(frozen=True, slots=True)
class TextMatch:
    """One item that PostgreSQL's own full-text search found; ``score`` is its rank."""

    item_id: UUID
    kind: Kind
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer that a request with an idempotency key got the first time."""

    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


class Items(Protocol):
    """One owner's items of every kind."""

    def get(self, item_id: UUID) -> Record:
        """Raises NotFound."""
        ...

    def matching(self, conditions: SearchFilter, *, limit: int) -> list[UUID]:
        """Identifiers of items that satisfy the filter; order unspecified."""
        ...

    def enrich(
        self, named: Mapping[Kind, Sequence[UUID]], conditions: SearchFilter
    ) -> Mapping[UUID, Record]:
        """Those of the given items that exist, are of that kind, and satisfy the filter."""
        ...

    def search(
        self,
        query: str,
        kinds: frozenset[Kind],
        conditions: SearchFilter,
        *,
        limit: int,
        offset: int,
    ) -> list[TextMatch]:
        """Full-text search without the vector store, best first; any of its words may match.

        No ``kinds`` means all.
        """
        ...

    def count(
        self, facets: Collection[Facet], kinds: frozenset[Kind], conditions: SearchFilter
    ) -> Counts:
        """How many items satisfy kinds and filter, by each facet."""
        ...


class OwnerIndex(Protocol):
    """How an owner's writes announce themselves to the index."""

    def want(self, item_id: UUID, kind: Kind, revision: int) -> None:
        """The item is to be projected at this revision or a later one."""
        ...

    def welcome(self, item_id: UUID, kind: Kind, revision: int) -> None:
        """The same for an item that comes back from an archive.

        Raises Conflict (code ``being_erased``) while the tombstone of a former account's item of
        this identifier is left.
        """
        ...

    def bury(self, item_id: UUID) -> None:
        """The item is gone: leave a tombstone that drives its removal from the vector store."""
        ...

    def bury_all(self) -> None:
        """The same for everything of this owner, whatever its kind."""
        ...

    def one_indexed(self, *, seconds_ago: float) -> UUID | None:
        """Any item whose chunks were stored that long ago, and that was not written since."""
        ...


class Idempotency(Protocol):
    """Answers kept by idempotency key."""

    def claim(self, key: str) -> StoredResponse | None:
        """Hold the key until the transaction ends; the stored answer if there is one.

        Raises Conflict (code ``idempotency_in_progress``) when another request holds it.
        """
        ...

    def store(self, key: str, response: StoredResponse) -> None: ...


class OwnAccount(Protocol):
    """The owner's own account row."""

    def get(self) -> User: ...

    def rename(self, display_name: str | None) -> User: ...

    def remove(self) -> None:
        """The account and everything of its owner, except the index entries; idempotent.

        Writes of this owner that are under way come first, and those that come later fail with
        Unauthenticated.
        """
        ...


class OwnerWork(Protocol):
    """A transaction on one owner's rows."""

    @property
    def owner_id(self) -> UUID: ...

    @property
    def items(self) -> Items: ...

    def records(self, resource: Resource) -> Records: ...

    @property
    def ledger(self) -> Ledger: ...

    def take_turn(self) -> None:
        """Wait until every other transaction of this owner that has called this is over.

        To be called before anything is read or locked. Raises Unauthenticated when the account is
        gone.
        """
        ...

    @property
    def index(self) -> OwnerIndex: ...

    @property
    def idempotency(self) -> Idempotency: ...

    @property
    def account(self) -> OwnAccount: ...

    @property
    def conversations(self) -> Conversations: ...

    @property
    def consistency(self) -> RunRequests:
        """Nothing is seen, and asking is refused, unless the account is an administrator's."""
        ...

    @property
    def configuration(self) -> Configuration:
        """Nothing is seen, and writing is refused, unless the account is an administrator's."""
        ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def erasures(self) -> OwnErasures: ...

    @property
    def api_keys(self) -> OwnApiKeys: ...

    @property
    def sessions(self) -> OwnSessions: ...

    @property
    def grants(self) -> Grants: ...

    @property
    def flows(self) -> Flows: ...
