"""Health is what real reads and writes say, within a deadline, however many ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from threading import Event

import pytest

from atom_backend.domain.health import Status
from atom_backend.domain.ports import Embedder, Transactions, VectorSearch
from atom_backend.errors import EmbedderUnavailable
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.health import HealthService
from tests.deterministic import BagOfWords
from tests.integration.coordinator.stage import Stage

OpenHealth = Callable[..., HealthService]
PATIENCE = 20.0


@pytest.fixture
def open_health(stage: Stage) -> Iterator[OpenHealth]:
    opened: list[HealthService] = []

    def make(
        embedder: Embedder | None = None, deadline: float = PATIENCE, keep: float = 0.0
    ) -> HealthService:
        probed = probes(stage.transactions, stage.vectors, embedder or BagOfWords())
        opened.append(HealthService(probed, deadline=deadline, keep=keep))
        return opened[-1]

    yield make
    for health in opened:
        health.close()


def probes(
    transactions: Transactions, vectors: VectorSearch, embedder: Embedder
) -> dict[str, Callable[[], object]]:
    return {
        "postgresql": transactions.probe,
        "lancedb": vectors.probe,
        "embedder": lambda: embedder.embed(["health"]),
        "vault": lambda: None,
    }


class Hanging:
    """To be watched with: hangs until it is released."""

    def __init__(self) -> None:
        self.calls = 0
        self.released = Event()

    def __call__(self, _: Sequence[str]) -> None:
        self.calls += 1
        assert self.released.wait(PATIENCE)


def test_everything_is_healthy_and_nothing_is_left_behind(
    stage: Stage, open_health: OpenHealth
) -> None:
    health = open_health().check()
    assert (health.status, health.ready) == (Status.HEALTHY, True)
    assert stage.vectors.sizes() == {"document_chunks": 0, "processed_documents": 0}


def test_a_vector_store_that_is_gone_is_named_and_comes_back(
    stage: Stage, open_health: OpenHealth
) -> None:
    service = open_health()
    hidden = stage.lance.rename(stage.lance.with_name("hidden"))
    health = service.check()
    assert (health.lancedb.status, health.lancedb.detail) == (
        Status.UNHEALTHY,
        "lancedb_unavailable",
    )
    assert health.postgresql.status is Status.HEALTHY
    assert (health.status, health.ready) == (Status.DEGRADED, True)
    hidden.rename(stage.lance)
    assert service.check().status is Status.HEALTHY


def test_without_both_stores_nothing_is_ready(stage: Stage) -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    stage.lance.rename(stage.lance.with_name("hidden"))
    nowhere = PostgresTransactions(engine)
    probed = probes(nowhere, stage.vectors, BagOfWords())
    with closing(HealthService(probed, deadline=PATIENCE)) as service:
        health = service.check()
    engine.dispose()
    assert health.postgresql.detail == "postgresql_unavailable"
    assert (health.status, health.ready) == (Status.UNHEALTHY, False)


def test_an_embedder_that_is_down_degrades(open_health: OpenHealth) -> None:
    def fail(_: Sequence[str]) -> None:
        raise EmbedderUnavailable

    health = open_health(BagOfWords(fail)).check()
    assert health.embedder.detail == "embedder_unavailable"
    assert (health.status, health.ready) == (Status.DEGRADED, True)


def test_what_hangs_is_down_at_the_deadline_and_is_not_asked_again_until_it_answers(
    open_health: OpenHealth,
) -> None:
    hanging = Hanging()
    service = open_health(BagOfWords(hanging), deadline=0.3)
    for _ in range(3):
        health = service.check()
        assert health.embedder.status is Status.UNHEALTHY
        assert health.embedder.detail == "no answer within the deadline"
    assert hanging.calls == 1
    hanging.released.set()
    checks = 1
    while service.check().embedder.status is not Status.HEALTHY:
        checks += 1
    assert hanging.calls <= 1 + checks


def test_a_crowd_that_asks_costs_the_stores_one_probe(open_health: OpenHealth) -> None:
    asked: list[Sequence[str]] = []
    service = open_health(BagOfWords(asked.append), keep=600.0)
    assert {id(service.check()) for _ in range(5)} == {id(service.check())}
    assert len(asked) == 1
