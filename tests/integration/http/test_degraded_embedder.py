"""The embedding model is down, hangs or gives what is no vector: words are found, and it is said.

The rest of the service does not notice, and neither does anybody who asks by words (I6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

import pytest
from flask import Flask

from atom_backend.app import create_app
from atom_backend.bootstrap import Runtime
from atom_backend.domain.items import Vectors
from atom_backend.domain.ports import Embedder
from atom_backend.errors import EmbedderUnavailable, RefusedVector
from atom_backend.guards.guarded import guard
from atom_backend.serving import Readers, assemble_services, open_providers
from atom_backend.settings import Settings
from atom_backend.stores import open_stores
from tests.e2e.conftest import eventually
from tests.integration.http.conftest import Account

PATIENCE = 30.0
CROWD = 24


def do_nothing() -> None:
    """The model is well."""


class Model:
    """The real model, until it is told to ``fail`` in some way before each answer."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.fingerprint, self.dimension = inner.fingerprint, inner.dimension
        self.fail: Callable[[], None] = do_nothing
        self.released = Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.fail()
        return self._inner.embed(texts)

    def be_down(self) -> None:
        raise EmbedderUnavailable("secret words")

    def give_nonsense(self) -> None:
        raise RefusedVector("secret words")

    def hang(self) -> None:
        assert self.released.wait(PATIENCE)


@pytest.fixture(scope="module")
def model_and_app(settings: Settings, runtime: Runtime) -> Iterator[tuple[Model, Flask]]:
    with open_stores(settings) as stores:
        model = Model(stores.embedder)
        guarded = guard(stores.transactions, stores.vectors, model, deadline=0.5)
        with closing(guarded):
            given = runtime.services
            readers = Readers(
                given.uploads,
                given.calendar_exchange.files,
                given.statements.files,
                given.mailing.mails,
            )
            services = assemble_services(settings, guarded, readers, open_providers(settings))
            with closing(services.health):
                yield model, create_app(Runtime(services, runtime.importing, settings))
            model.released.set()


@pytest.fixture
def model(model_and_app: tuple[Model, Flask]) -> Iterator[Model]:
    model, _ = model_and_app
    model.released.clear()
    yield model
    model.fail = do_nothing
    model.released.set()


@pytest.fixture
def account(model: Model, model_and_app: tuple[Model, Flask], index: Callable[[], None]) -> Account:
    account = Account(model_and_app[1])
    account.store(title="Tea", text="Green tea wants water of 80 degrees.", tags=["kitchen"])
    account.store(title="Violin", text="The violin has four strings.", tags=["music"])
    index()
    answer_again(account)
    return account


def ask(account: Account, **question: Any) -> Any:
    answer = account.post("/v1/search", json={"query": "tea water"} | question)
    assert answer.status_code == 200, answer.text
    return answer.json


def answer_again(account: Account) -> None:
    """Searches by meaning come back by themselves, once the breaker tries."""
    eventually(lambda: not ask(account)["degraded"], seconds=PATIENCE)


FAILURES = (Model.be_down, Model.give_nonsense, Model.hang)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_words_are_found_in_every_mode_and_with_every_filter(
    account: Account, model: Model, failure: Callable[[Model], None]
) -> None:
    model.fail = lambda: failure(model)
    for mode, reasons in {"hybrid": ["embedder"], "vector": ["embedder"], "text": []}.items():
        for conditions, titles in (({}, ["Tea"]), ({"tags": ["kitchen"]}, ["Tea"])):
            found = ask(account, mode=mode, filter=conditions)
            assert (found["legs"], found["degraded"]) == (["text"], reasons)
            assert [one["title"] for one in found["results"]] == titles
        nothing = ask(account, mode=mode, filter={"tags": ["music"]})
        assert (nothing["results"], nothing["degraded"]) == ([], reasons)
    model.fail = do_nothing
    model.released.set()
    answer_again(account)
    assert ask(account, mode="vector")["legs"] == ["vector"]


def test_a_crowd_that_asks_a_hanging_model_is_answered_and_loses_no_thread(
    account: Account, model: Model
) -> None:
    model.fail = model.hang
    for _ in range(2):
        with ThreadPoolExecutor(CROWD) as crowd:
            asked = [crowd.submit(ask, account) for _ in range(CROWD)]
            for one in asked:
                assert one.result(PATIENCE)["degraded"] == ["embedder"]
    assert account.get("/livez").status_code == 200
    model.fail = do_nothing
    model.released.set()
    answer_again(account)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_health_and_metrics_say_so_and_turn_back(
    account: Account, model: Model, failure: Callable[[Model], None]
) -> None:
    def metric(name: str) -> float:
        (line,) = (one for one in account.get("/metrics").text.splitlines() if name in one)
        return float(line.rpartition(" ")[2])

    counted = 'atom_search_degraded_total{reason="embedder"}'
    before = metric(counted)
    model.fail = lambda: failure(model)
    for _ in range(4):
        ask(account)
    assert metric(counted) == before + 4
    assert metric('atom_breaker_open{store="embedder"}') == (failure is not Model.give_nonsense)
    health = until_embedder_is(account, "unhealthy")
    assert health["status"] == "degraded"
    assert set(health["database"].values()) == {"healthy"}
    model.fail = do_nothing
    model.released.set()
    assert until_embedder_is(account, "healthy")["status"] == "healthy"
    assert metric('atom_breaker_open{store="embedder"}') == 0


def until_embedder_is(account: Account, status: str) -> Any:
    def health() -> Any:
        found = account.get("/healthz").json
        return found if found["embedder"] == status else None

    return eventually(health, seconds=PATIENCE)
