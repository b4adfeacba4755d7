"""The use cases that the REST face calls; ``bootstrap`` makes them."""

from __future__ import annotations

from dataclasses import dataclass

from atom_backend.domain.ports import AccessTokens
from atom_backend.domain.secrets import Vault
from atom_backend.services.accounts import Accounts
from atom_backend.services.api_keys import ApiKeys
from atom_backend.services.audit import Audit
from atom_backend.services.bookkeeping import Bookkeeping
from atom_backend.services.calendar_exchange import CalendarExchange
from atom_backend.services.calendars import Calendars
from atom_backend.services.chunks import IndexedChunks
from atom_backend.services.configuration import ConfigurationService
from atom_backend.services.consistency import Consistency
from atom_backend.services.conversations import ConversationService
from atom_backend.services.erasures import ErasureService
from atom_backend.services.exporting import Exporting
from atom_backend.services.health import HealthService
from atom_backend.services.mailing import Mailing
from atom_backend.services.oauth import OAuth
from atom_backend.services.operations import Operations
from atom_backend.services.preferences import Preferences
from atom_backend.services.records import RecordService
from atom_backend.services.restoring import Restoring
from atom_backend.services.search import SearchService
from atom_backend.services.sessions import Sessions
from atom_backend.services.similar import SimilarItems
from atom_backend.services.statements import StatementImport
from atom_backend.services.uploads import Uploads
from atom_backend.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may call."""

    accounts: Accounts
    records: RecordService
    bookkeeping: Bookkeeping
    statements: StatementImport
    conversations: ConversationService
    uploads: Uploads
    chunks: IndexedChunks
    preferences: Preferences
    calendars: Calendars
    calendar_exchange: CalendarExchange
    mailing: Mailing
    search: SearchService
    similar: SimilarItems
    health: HealthService
    operations: Operations
    consistency: Consistency
    configuration: ConfigurationService
    audit: Audit
    api_keys: ApiKeys
    sessions: Sessions
    erasures: ErasureService
    exporting: Exporting
    restoring: Restoring
    oauth: OAuth
    access_tokens: AccessTokens
    vault: Vault
    metrics: Metrics
