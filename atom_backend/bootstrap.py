"""The composition root: names the adapters and wires them; ``stores`` opens most of them.

Two things can be opened: a ``Runtime`` for requests (behind breakers) or commands, and a
``Worker`` for the coordinator, which has pauses of its own instead of breakers. The schema of both
stores (``prepare_stores``) must exist before. Opening and wiring are apart: ``serving`` and
``converging`` wire any ports, wrapped or not. Invariant: what was opened here is closed
here, last opened first, also when opening fails midway.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from atom_backend.converging import (
    Remedies,
    assemble_consistency_job,
    assemble_remedies,
    assemble_worker,
)
from atom_backend.coordinator.agreement import Agreement
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.rebuild import Rebuild
from atom_backend.domain.drift import Progress
from atom_backend.domain.secrets import Vault
from atom_backend.errors import AtomError, VaultUnavailable
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.foundation import lay_foundation
from atom_backend.guards.guarded import Guarded
from atom_backend.http.services import Services
from atom_backend.relational.audit_pruning import Pruned, prune
from atom_backend.relational.locks import turn
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.services.audit_verification import AuditVerification
from atom_backend.services.demonstration import Demonstration
from atom_backend.services.importing import Importing
from atom_backend.services.keys import Keys
from atom_backend.serving import (
    assemble_services,
    importing_of,
    open_providers,
    readers_of,
)
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
from atom_backend.workers.loop import Loop, Worker

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What serves requests and commands."""

    services: Services
    importing: Importing
    settings: Settings

    @property
    def demonstration(self) -> Demonstration:
        return Demonstration(self.services.records, self.services.preferences)


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
