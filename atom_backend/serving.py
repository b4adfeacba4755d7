"""The wiring of what answers requests and commands: every use case, on any ports.

Invariant: the stores are given, open, wrapped or not; nothing is opened here but the files of keys
and of providers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from atom_backend.clock import SystemClock
from atom_backend.domain.finance.statements import Statements
from atom_backend.domain.oauth import Providers
from atom_backend.domain.ports import CalendarFiles, MailReader
from atom_backend.extraction.calendars.files import ConfinedCalendarFiles
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.extraction.mails.confined import ConfinedMails
from atom_backend.extraction.statements.files import ConfinedStatements
from atom_backend.foundation import redirects_of, registered_providers
from atom_backend.guards.guarded import Guarded
from atom_backend.http.services import Services
from atom_backend.providers.configured import ConfiguredProviders
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
from atom_backend.services.importing import Importing
from atom_backend.services.mailing import Mailing
from atom_backend.services.oauth import assemble_oauth
from atom_backend.services.operations import Operations
from atom_backend.services.preferences import Preferences
from atom_backend.services.records import RecordService
from atom_backend.services.restoring import Restoring
from atom_backend.services.search import SearchService
from atom_backend.services.sessions import Sessions
from atom_backend.services.similar import SimilarItems
from atom_backend.services.statements import StatementImport
from atom_backend.services.throttling import Throttle
from atom_backend.services.uploads import Uploads
from atom_backend.settings import Settings
from atom_backend.stores import (
    Stores,
    vault_of,
)
from atom_backend.telemetry.metrics import Metrics
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.attempt_keys import KeyedAttempts
from atom_backend.vault.key_file import load_or_create_key
from atom_backend.vault.passwords import Argon2idPasswords


@dataclass(frozen=True, slots=True)
class Readers:
    """What reads files that come from outside."""

    uploads: Uploads
    calendar_files: CalendarFiles
    statements: Statements
    mails: MailReader


def readers_of(extractor: SubprocessExtractor) -> Readers:
    """All of them, in the confined processes of this extractor."""
    pool = extractor.pool
    return Readers(
        Uploads(extractor),
        ConfinedCalendarFiles(pool),
        ConfinedStatements(pool),
        ConfinedMails(pool),
    )


def open_providers(settings: Settings) -> ConfiguredProviders:
    """The OAuth providers of the operator's file. Raises ConfigurationError."""
    return ConfiguredProviders(registered_providers(settings), SystemClock())


def assemble_services(
    settings: Settings, ports: Stores | Guarded, readers: Readers, providers: Providers
) -> Services:
    """Every use case that a request can reach, on these ports."""
    clock = SystemClock()
    transactions, vectors, embedder = ports.transactions, ports.vectors, ports.embedder
    signing_key = _signing_key(settings)
    access_tokens = SignedAccessTokens(
        signing_key, clock, lifetime=timedelta(seconds=settings.access_token_seconds)
    )
    vault = vault_of(settings, transactions)
    records = RecordService(transactions, clock=clock)
    operations = Operations(transactions, vectors)
    consistency = Consistency(transactions)
    audit = Audit(transactions)
    metrics = Metrics(operations.statistics, consistency.totals, audit.depth)
    for circuit in ports.circuits:
        metrics.watch_breaker(circuit.name, circuit.is_open)
    return Services(
        accounts=Accounts(
            transactions,
            Argon2idPasswords(),
            access_tokens,
            clock,
            Throttle(transactions, KeyedAttempts(signing_key)),
            refresh_lifetime=timedelta(days=settings.refresh_token_days),
        ),
        records=records,
        uploads=readers.uploads,
        chunks=IndexedChunks(transactions, vectors),
        preferences=Preferences(records),
        bookkeeping=Bookkeeping(transactions, records),
        conversations=ConversationService(transactions, clock=clock),
        mailing=Mailing(transactions, readers.mails, records, readers.uploads),
        calendars=Calendars(transactions),
        calendar_exchange=CalendarExchange(records, readers.calendar_files, clock),
        statements=StatementImport(transactions, readers.statements),
        search=SearchService(transactions, vectors, embedder),
        similar=SimilarItems(transactions, vectors),
        health=HealthService({**ports.probes, "vault": vault.probe}),
        operations=operations,
        consistency=consistency,
        configuration=ConfigurationService(transactions),
        audit=audit,
        api_keys=ApiKeys(transactions, clock),
        sessions=Sessions(transactions),
        erasures=ErasureService(transactions),
        exporting=Exporting(transactions),
        restoring=Restoring(transactions, clock=clock),
        access_tokens=access_tokens,
        vault=vault,
        oauth=assemble_oauth(
            transactions,
            vault,
            providers,
            redirects_of(settings),
            clock=clock,
            count=metrics.oauth,
            connections=settings.db_max_connections,
        ),
        metrics=metrics,
    )


def importing_of(services: Services) -> Importing:
    """What the command stores with."""
    return Importing(services.records, services.uploads, services.mailing)


def _signing_key(settings: Settings) -> bytes:
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value().encode()
    return load_or_create_key(settings.data_dir / "signing.key")
