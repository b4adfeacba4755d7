"""What can be done inside one PostgreSQL transaction, by who is doing it.

Three kinds of work, one database role each: an owner's work sees that owner's rows and no other;
signing in sees accounts and no content; the worker sees index entries and sources, and may not
change content. A method that is not here cannot be called by the wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from atom_backend.domain.accounts import Credential, RefreshToken, User
from atom_backend.domain.api_keys import OwnApiKeys, PresentedKeys
from atom_backend.domain.audit import AuditTrail
from atom_backend.domain.census import Table
from atom_backend.domain.configuration import Configuration
from atom_backend.domain.consistency import ConsistencyRuns, RunRequests
from atom_backend.domain.erasures import Erasures, OwnErasures
from atom_backend.domain.facets import Counts, Facet
from atom_backend.domain.finance.sums import Ledger
from atom_backend.domain.generations import StoreRecord
from atom_backend.domain.index_state import (
    Confirmation,
    IndexStatistics,
    Lease,
    Postponement,
)
from atom_backend.domain.items import Kind, Source
from atom_backend.domain.messaging.conversations import Conversations
from atom_backend.domain.oauth_flows import BrowserFlows, Flows
from atom_backend.domain.oauth_grants import Grants
from atom_backend.domain.permissions import Role
from atom_backend.domain.repairs import Repairs
from atom_backend.domain.resources.records import Records
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import SearchFilter
from atom_backend.domain.sessions import OwnSessions
from atom_backend.domain.throttling import Attempts


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


class WorkerIndex(Protocol):
    """The worker's side of the index entries.

    All times are the database's. Calls that name a ``fence`` change only entries that are still
    leased under it and say which those were.
    """

    def lease(
        self, holder: UUID, *, limit: int, seconds: float, suspects: bool, max_attempts: int
    ) -> list[Lease]:
        """Take due entries and those whose lease ran out, oldest first; others are skipped.

        Entries with ``SUSPECT_AFTER`` or more attempts are taken only with ``suspects``, and then
        as many as may be ``together``. An entry with ``max_attempts`` behind it is parked instead.
        """
        ...

    def give_back(self, holder: UUID) -> int:
        """Make due what this holder has leased, and take its attempts back; how many entries.

        For a worker that lost touch with PostgreSQL, may not even know what it leased, and holds
        nothing now. Attempts are taken back also where another has taken the entry over.
        """
        ...

    def extend(self, item_ids: Sequence[UUID], fence: int, seconds: float) -> set[UUID]:
        """Prolong the leases that are still held and still wanted at the leased revision."""
        ...

    def confirm(self, confirmations: Sequence[Confirmation], fence: int) -> set[UUID]:
        """Compare-and-set: settle, or make due again what was written meanwhile."""
        ...

    def purge(self, item_ids: Sequence[UUID], fence: int) -> set[UUID]:
        """Remove tombstones whose items the vector store no longer holds.

        The erasure of an account whose last one goes is complete.
        """
        ...

    def postpone(self, postponements: Sequence[Postponement], fence: int) -> set[UUID]: ...

    def park(self, reasons: Mapping[UUID, str], fence: int) -> set[UUID]: ...

    def seconds_until_due(self) -> float | None:
        """0 when something is due now, None when nothing waits."""
        ...

    def require_spec(self, spec: str) -> int:
        """Make settled entries of any other index spec due again; how many there were."""
        ...

    def statistics(self) -> IndexStatistics: ...

    def parked(self, limit: int) -> list[tuple[UUID, str]]:
        """Parked items with their reasons, oldest first."""
        ...


class WorkerWork(Protocol):
    """A transaction of the worker."""

    @property
    def index(self) -> WorkerIndex: ...

    @property
    def repairs(self) -> Repairs: ...

    @property
    def consistency(self) -> ConsistencyRuns: ...

    @property
    def store(self) -> StoreRecord: ...

    @property
    def erasures(self) -> Erasures: ...

    def sources(self, item_ids: Sequence[UUID]) -> Mapping[UUID, Source]:
        """What these items say now; an item that is gone is missing from the answer."""
        ...

    def sweep(self) -> Mapping[str, int]:
        """Remove what has expired or ended, and old runs; rows removed by name of their table."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Rows by table name, as estimated by the server's statistics."""
        ...


class CensusWork(Protocol):
    """A transaction that sees one moment of everybody's index entries and items, as columns.

    Each call gives the rows of some items (``among``) or of all, in no order.
    """

    def entries(self, spec: str, among: Sequence[UUID] | None = None) -> Table:
        """Records of ``census.ENTRY``; ``spec`` is the index spec that counts as current."""
        ...

    def sources(self, among: Sequence[UUID] | None = None) -> Table:
        """Records of ``census.SOURCE``."""
        ...
