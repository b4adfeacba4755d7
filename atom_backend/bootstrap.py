"""The composition root: names the adapters and wires them; ``stores`` opens most of them.

Two things can be opened: a ``Runtime`` for requests (behind breakers) or commands, and a
``Worker`` for the coordinator, which has pauses of its own instead of breakers. The schema of both
stores (``prepare_stores``) must exist before. Opening and wiring are apart: ``assemble_worker`` and
``assemble_services`` take any ports, wrapped or not. Invariant: what was opened here is closed
here, last opened first, also when opening fails midway.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from atom_backend.clock import SystemClock
from atom_backend.coordinator.agreement import Agreement
from atom_backend.coordinator.check import Check
from atom_backend.coordinator.consistency import ConsistencyJob
from atom_backend.coordinator.convergence import Convergence
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.rebuild import Rebuild
from atom_backend.coordinator.relay import Relay
from atom_backend.coordinator.repair import Repair
from atom_backend.coordinator.retry import RetryParked
from atom_backend.coordinator.sealing import Sealing
from atom_backend.coordinator.upkeep import Sweep, Upkeep
from atom_backend.domain.backoff import Backoff
from atom_backend.domain.consistency import Schedule
from atom_backend.domain.drift import Progress
from atom_backend.domain.finance.statements import Statements
from atom_backend.domain.oauth import Providers
from atom_backend.domain.ports import CalendarFiles, MailReader, Wakeup
from atom_backend.domain.secrets import Vault
from atom_backend.errors import AtomError, VaultUnavailable
from atom_backend.extraction.calendars.files import ConfinedCalendarFiles
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.extraction.mails.confined import ConfinedMails
from atom_backend.extraction.statements.files import ConfinedStatements
from atom_backend.foundation import lay_foundation, redirects_of, registered_providers
from atom_backend.guards.guarded import Guarded
from atom_backend.guards.timed_embedder import TimedEmbedder
from atom_backend.http.services import Services
from atom_backend.providers.configured import ConfiguredProviders
from atom_backend.relational.audit_pruning import Pruned, prune
from atom_backend.relational.locks import turn
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.services.accounts import Accounts
from atom_backend.services.api_keys import ApiKeys
from atom_backend.services.audit import Audit
from atom_backend.services.audit_verification import AuditVerification
from atom_backend.services.bookkeeping import Bookkeeping
from atom_backend.services.calendar_exchange import CalendarExchange
from atom_backend.services.calendars import Calendars
from atom_backend.services.chunks import IndexedChunks
from atom_backend.services.configuration import ConfigurationService
from atom_backend.services.consistency import Consistency
from atom_backend.services.conversations import ConversationService
from atom_backend.services.demonstration import Demonstration
from atom_backend.services.erasures import ErasureService
from atom_backend.services.exporting import Exporting
from atom_backend.services.health import HealthService
from atom_backend.services.importing import Importing
from atom_backend.services.keys import Keys
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
    open_building,
    open_guarded,
    open_stores,
    open_transactions,
    unpooled,
    vault_of,
)
from atom_backend.telemetry.metrics import Metrics
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.attempt_keys import KeyedAttempts
from atom_backend.vault.key_file import load_or_create_key
from atom_backend.vault.passwords import Argon2idPasswords
from atom_backend.workers.chores import Chores, Periodic, Timer
from atom_backend.workers.loop import Loop, Worker

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 3600.0
_SEALING_SECONDS = 2.0
_MODEL_SHARE = 0.3
"""Of a lease's time, for one call of the model: a worker whose model hangs asks it once more, and
then gives its leases back before they run out."""
_LEAST_MODEL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """What serves requests and commands."""

    services: Services
    importing: Importing
    settings: Settings

    @property
    def demonstration(self) -> Demonstration:
        return Demonstration(self.services.records, self.services.preferences)


@dataclass(frozen=True, slots=True)
class Remedies:
    """What finds and mends differences between the stores."""

    check: Check
    repair: Repair
    retry_parked: RetryParked


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


def prepare_stores(settings: Settings) -> list[str]:
    """Make or upgrade the schema of both stores; a sentence about each."""
    with lay_foundation(settings) as foundation:
        return [foundation.migrate(), prepare_vectors(settings)]


def prepare_vectors(settings: Settings) -> str:
    """Make LanceDB's tables and indexes where they are missing; a sentence about it.

    PostgreSQL must have its schema already: its lock is what keeps two processes from making a
    table at once, which loses rows. Raises as ``Agreement.prepare``.
    """
    with open_stores(settings) as stores, turn(stores.url, "prepare LanceDB"):
        return Agreement(stores.transactions, stores.generations).prepare()


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """Everything that a command needs."""
    with open_stores(settings) as stores, _runtime(settings, stores) as runtime:
        yield runtime


@contextmanager
def open_web(settings: Settings) -> Iterator[Runtime]:
    """Everything that a web process needs; opens also while stores or the model are missing."""
    with open_guarded(settings) as guarded, _runtime(settings, guarded) as runtime:
        _verify(runtime.services.vault)
        yield runtime


def _verify(vault: Vault) -> None:
    """A wrong key is said at the start; the service goes on without the tokens."""
    try:
        vault.probe()
    except AtomError as error:
        wrong = bool(vault.key_ids) and isinstance(error, VaultUnavailable)
        level = logging.ERROR if wrong else logging.WARNING
        logger.log(level, "starting without the vault of tokens: %s", error.message)


@contextmanager
def _runtime(settings: Settings, ports: Stores | Guarded) -> Iterator[Runtime]:
    with (
        closing(SubprocessExtractor()) as extractor,
        closing(open_providers(settings)) as providers,
    ):
        services = assemble_services(settings, ports, readers_of(extractor), providers)
        with closing(services.health):
            yield Runtime(services, importing_of(services), settings)


@contextmanager
def open_remedies(settings: Settings) -> Iterator[Remedies]:
    """For the commands of operators."""
    with open_stores(settings) as stores:
        yield assemble_remedies(stores)


@contextmanager
def open_verification(settings: Settings) -> Iterator[AuditVerification]:
    """For the commands that look at the audit trail; LanceDB and the model are not needed."""
    with open_transactions(settings) as transactions:
        yield AuditVerification(transactions)


def prune_audit(settings: Settings, before: datetime, progress: Progress) -> Pruned | None:
    """Remove the beginning of the audit trail, as the owner of the tables."""
    with lay_foundation(settings) as foundation:
        return prune(foundation.urls.owner, before, progress)


@contextmanager
def open_keys(settings: Settings) -> Iterator[Keys]:
    """For the commands about the vault's keys; LanceDB and the model are not needed."""
    with open_transactions(settings) as transactions:
        yield Keys(transactions, vault_of(settings, transactions))


@contextmanager
def open_rebuild(settings: Settings) -> Iterator[Rebuild]:
    """For the command that makes LanceDB anew."""
    with open_stores(settings) as stores:
        yield Rebuild(
            stores.transactions,
            stores.vectors,
            Indexer(stores.chunker, stores.embedder),
            assemble_remedies(stores).repair,
            generations=stores.generations,
            open_building=partial(open_building, settings, stores),
            batch=settings.relay_batch,
        )


@contextmanager
def open_worker(settings: Settings) -> Iterator[Worker]:
    """The coordinator's loop with all that it drives, and the consistency job beside it."""
    with (
        open_stores(settings) as stores,
        closing(PostgresWakeup(stores.url)) as wakeup,
        closing(PostgresWakeup(stores.url, channel=CONSISTENCY_CHANNEL)) as announced,
        unpooled(stores.url) as transactions,
    ):
        job = assemble_consistency_job(settings, replace(stores, transactions=transactions))
        beside = Loop(job.turn, announced, cut_short=job.cut_short)
        yield assemble_worker(settings, stores, wakeup, beside=[beside])


def assemble_consistency_job(settings: Settings, stores: Stores) -> ConsistencyJob:
    """Checks and repairs of these stores, by schedule and when they are asked for."""
    remedies = assemble_remedies(stores)
    schedule = Schedule(settings.consistency_seconds)
    return ConsistencyJob(stores.transactions, remedies.check, remedies.repair, schedule)


def assemble_worker(
    settings: Settings, stores: Stores, wakeup: Wakeup, *, beside: Sequence[Loop] = ()
) -> Worker:
    """The coordinator's loops on these stores."""
    deadline = max(_LEAST_MODEL_SECONDS, _MODEL_SHARE * settings.lease_seconds)
    indexer = Indexer(stores.chunker, TimedEmbedder(stores.embedder, deadline=deadline))
    relay = Relay(
        stores.transactions,
        Convergence(stores.transactions, stores.vectors, indexer),
        backoff=Backoff(max_attempts=settings.max_attempts),
        batch=settings.relay_batch,
        lease_seconds=settings.lease_seconds,
    )
    loops = [
        Loop(_chores(settings, stores).turn, Timer()),
        Loop(_sealing(stores).turn, Timer()),
        *beside,
    ]
    return Worker(stores.transactions, relay, wakeup, spec=lambda: indexer.spec, beside=loops)


def _chores(settings: Settings, stores: Stores) -> Chores:
    agreement = Agreement(stores.transactions, stores.generations)
    upkeep = Upkeep(stores.transactions, stores.vectors)
    sweep = Sweep(stores.transactions)
    return Chores(
        [
            Periodic("Agreement", agreement.reach, settings.maintenance_seconds),
            Periodic("Upkeep", upkeep.run_once, settings.maintenance_seconds),
            Periodic("Sweep", sweep.run_once, _SWEEP_SECONDS),
        ]
    )


def _sealing(stores: Stores) -> Chores:
    """On a loop of its own: what is not sealed yet could be changed without a trace."""
    sealing = Sealing(stores.transactions)
    return Chores([Periodic("Audit", sealing.run_once, _SEALING_SECONDS)])


def assemble_remedies(stores: Stores) -> Remedies:
    """Check and repair of these stores; what they find or do not find is of the present spec."""
    indexer = Indexer(stores.chunker, stores.embedder)
    check = Check(stores.transactions, stores.vectors, spec=lambda: indexer.spec)
    repair = Repair(stores.transactions, stores.vectors, check)
    return Remedies(check, repair, RetryParked(stores.transactions))


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
