"""The stores, the model and the vault, opened: the middle part of the composition root.

For the coordinator and for commands as they are; for requests behind breakers, with deadlines that
suit somebody who waits, and also while PostgreSQL, LanceDB or the model is missing. Invariant: what
was opened here is closed here, last opened first, also when opening fails midway.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from atom_backend.coordinator.agreement import StoreIdentity
from atom_backend.domain.master_keys import KEY_BYTES, MasterKey, generate_key, read_keys
from atom_backend.domain.ports import Chunker, Embedder, Generations, Transactions, VectorStore
from atom_backend.embedding.encoder import Encoder, open_onnx, open_reference
from atom_backend.embedding.late_embedder import LateEmbedder
from atom_backend.errors import ConfigurationError, EmbedderUnavailable
from atom_backend.foundation import lay_foundation
from atom_backend.guards.circuit import Circuit
from atom_backend.guards.guarded import Guarded, guard
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from atom_backend.relational.transport import warn_of_exposure
from atom_backend.settings import Settings
from atom_backend.vault.key_file import load_or_create_key
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer
from atom_backend.vectors.generations import LanceGenerations
from atom_backend.vectors.schema import AS_STORED
from atom_backend.vectors.store import LanceVectorStore

logger = logging.getLogger(__name__)

_BUILDING_DEADLINE = 60.0
"""Seconds; a rebuild writes much at a time, and nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores and the model, open, with no breaker in front of them."""

    transactions: Transactions
    vectors: VectorStore
    embedder: Embedder
    chunker: Chunker
    generations: Generations
    url: str = field(repr=False)
    """Where signals of new work are listened for."""
    circuits: ClassVar[tuple[Circuit, ...]] = ()

    @property
    def probes(self) -> Mapping[str, Callable[[], object]]:
        """A call for every part that fails unless it is well."""
        return {
            "postgresql": self.transactions.probe,
            "lancedb": self.vectors.probe,
            "embedder": lambda: self.embedder.embed(["health"]),
        }


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a call counts as failed. A request's caller waits for it; nobody for others."""

    connection: float = 5.0
    statement: float = 30.0
    vectors: float = 10.0

    @classmethod
    def of_requests(cls, settings: Settings) -> Patience:
        statement = settings.database_deadline
        return cls(min(3.0, statement), statement, settings.search_deadline)


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """For the coordinator and for commands. Raises EmbedderUnavailable where there is no model."""
    patience = Patience()
    encoder = _open_encoder(settings)
    dimension = encoder.embedder.dimension
    with ExitStack() as stack:
        url, transactions = stack.enter_context(_postgresql(settings, patience))
        yield Stores(
            transactions,
            stack.enter_context(_lancedb(settings, transactions, dimension, patience.vectors)),
            encoder.embedder,
            encoder.chunker,
            stack.enter_context(closing(_open_generations(settings, dimension))),
            url,
        )


def open_building(settings: Settings, stores: Stores, number: int) -> closing[LanceVectorStore]:
    """The vector store on a generation of tables that a rebuild fills."""
    dimension = stores.embedder.dimension
    return _lancedb(settings, stores.transactions, dimension, _BUILDING_DEADLINE, number)


@contextmanager
def unpooled(url: str) -> Iterator[Transactions]:
    """PostgreSQL for work that keeps some connections for long: it takes none from a pool."""
    engine = create_engine(url, max_connections=0)
    try:
        yield PostgresTransactions(engine)
    finally:
        engine.dispose()


@contextmanager
def open_guarded(settings: Settings) -> Iterator[Guarded]:
    """For requests."""
    patience = Patience.of_requests(settings)
    embedder, dimension = _model_or_its_place(settings)
    with ExitStack() as stack:
        _, transactions = stack.enter_context(_postgresql(settings, patience))
        vectors = stack.enter_context(_lancedb(settings, transactions, dimension, patience.vectors))
        guarded = guard(transactions, vectors, embedder, deadline=patience.vectors)
        yield stack.enter_context(closing(guarded))


@contextmanager
def open_transactions(settings: Settings) -> Iterator[Transactions]:
    """PostgreSQL alone, for commands that need nothing else."""
    with _postgresql(settings, Patience()) as (_, transactions):
        yield transactions


@contextmanager
def _postgresql(
    settings: Settings, patience: Patience
) -> Iterator[tuple[str, PostgresTransactions]]:
    """The URL that the service connects with, and its pool of connections."""
    with lay_foundation(settings) as foundation:
        url = foundation.urls.service
        engine = create_engine(
            url,
            max_connections=settings.db_max_connections,
            pool_timeout=settings.db_pool_timeout,
            connect_timeout=patience.connection,
        )
        warn_of_exposure(engine)
        limits = TimeLimits(patience.statement, lock=min(10.0, patience.statement))
        try:
            yield url, PostgresTransactions(engine, limits=limits)
        finally:
            engine.dispose()


def _lancedb(
    settings: Settings,
    transactions: Transactions,
    dimension: int,
    deadline: float,
    building: int | None = None,
) -> closing[LanceVectorStore]:
    return closing(
        LanceVectorStore(
            settings.lancedb_uri,
            dimension=dimension,
            processed_table=settings.processed_table,
            chunks_table=settings.chunks_table,
            identity=StoreIdentity(transactions),
            deadline=deadline,
            building=building,
        )
    )


def _open_generations(settings: Settings, dimension: int) -> LanceGenerations:
    return LanceGenerations(
        settings.lancedb_uri,
        dimension=dimension,
        processed_table=settings.processed_table,
        chunks_table=settings.chunks_table,
    )


def _model_or_its_place(settings: Settings) -> tuple[Embedder, int]:
    """The model and its dimension; while it cannot be opened, what opens it as soon as it can."""
    try:
        embedder = _open_encoder(settings).embedder
        return embedder, embedder.dimension
    except EmbedderUnavailable as error:
        logger.warning("starting without the embedding model: %s", error.message)
        return LateEmbedder(lambda: _open_encoder(settings).embedder), AS_STORED


def _open_encoder(settings: Settings) -> Encoder:
    threads = settings.encoder_threads
    if settings.encoder == "onnx":
        return open_onnx(settings.models_dir, model=settings.model_path, threads=threads)
    return open_reference(model=settings.model_path, threads=threads)


def vault_of(settings: Settings, transactions: Transactions) -> VerifiedVault:
    """What seals OAuth tokens: with the keys that were given, or with one that this machine makes.

    Beside a PostgreSQL of the operator's own no key is made, because every process needs the same.
    """
    keys = settings.vault_keys
    if not keys and not settings.database_url:
        keys = _kept_keys(settings.data_dir / "vault.key")
    return VerifiedVault(EnvelopeSealer(Keyring(keys)), transactions)


def _kept_keys(path: Path) -> tuple[MasterKey, ...]:
    """One a line, so that they can be rotated in the file, too."""
    text = load_or_create_key(path, generate_key, shortest=KEY_BYTES).decode("utf-8", "replace")
    try:
        return read_keys(text.split("\n"))
    except ValueError as error:
        raise ConfigurationError(f"In the file {path} {error}: restore the file.") from None
