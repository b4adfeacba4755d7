"""The guarded ports: what each of them counts, and that a probe is never turned away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Event
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest

from atom_backend.domain.permissions import Role
from atom_backend.domain.ports import Transactions, VectorSearch
from atom_backend.domain.principals import OwnerScope, Principal
from atom_backend.errors import (
    AtomError,
    DatabaseUnavailable,
    DependencyError,
    EmbedderUnavailable,
    Unauthenticated,
    VectorStoreUnavailable,
)
from atom_backend.guards.circuit import Circuit
from atom_backend.guards.embedder import GuardedEmbedder
from atom_backend.guards.guarded import Guarded, guard
from tests.deterministic import BagOfWords

SOMEBODY = Principal(UUID(int=1), None, Role.USER)
SCOPE = OwnerScope(UUID(int=1))
PATIENCE = 20.0


class Remote:
    """All three ports of a service; ``error`` is what each call meets. Counts calls."""

    dimension = BagOfWords.dimension
    fingerprint = "remote"

    def __init__(self) -> None:
        self.error: AtomError | None = None
        self.calls = 0

    def answer(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return ()

    search = chunks = embedding = nearest = sizes = probe = embed = answer

    @contextmanager
    def transaction(self, *_: Any) -> Iterator[str]:
        self.answer()
        yield "work"

    owner = sign_in = worker = elected = transaction


@pytest.fixture
def remote() -> Remote:
    return Remote()


@pytest.fixture
def guarded(remote: Remote) -> Iterator[Guarded]:
    ports = cast(Transactions, remote), cast(VectorSearch, remote), remote
    with closing(guard(*ports, deadline=PATIENCE)) as guarded:
        yield guarded


def begin(guarded: Guarded, kind: str = "worker", *given: Any) -> None:
    with getattr(guarded.transactions, kind)(*given):
        pass


CALLS: dict[str, tuple[type[DependencyError], Callable[[Guarded], object]]] = {
    "owner": (DatabaseUnavailable, lambda g: begin(g, "owner", SOMEBODY)),
    "sign_in": (DatabaseUnavailable, lambda g: begin(g, "sign_in")),
    "worker": (DatabaseUnavailable, lambda g: begin(g, "worker")),
    "elected": (DatabaseUnavailable, lambda g: begin(g, "elected", "duty")),
    "search": (
        VectorStoreUnavailable,
        lambda g: g.vectors.search(SCOPE, vector=None, text="x", depth=1),
    ),
    "chunks": (VectorStoreUnavailable, lambda g: g.vectors.chunks(SCOPE, UUID(int=2))),
    "embedding": (VectorStoreUnavailable, lambda g: g.vectors.embedding(SCOPE, UUID(int=2))),
    "nearest": (
        VectorStoreUnavailable,
        lambda g: g.vectors.nearest(SCOPE, np.ones(2, np.float32), depth=1),
    ),
    "sizes": (VectorStoreUnavailable, lambda g: g.vectors.sizes()),
    "embed": (EmbedderUnavailable, lambda g: g.embedder.embed(["x"])),
}
STORE = {DatabaseUnavailable: 0, VectorStoreUnavailable: 1, EmbedderUnavailable: 2}


@pytest.mark.parametrize("name", CALLS)
def test_what_does_not_answer_is_soon_not_asked(
    remote: Remote, guarded: Guarded, name: str
) -> None:
    failure, call = CALLS[name]
    remote.error = failure()
    for _ in range(20):
        with pytest.raises(failure):
            call(guarded)
    assert remote.calls == 3
    circuits = [circuit.is_open() for circuit in guarded.circuits]
    assert [place for place, is_open in enumerate(circuits) if is_open] == [STORE[failure]]


@pytest.mark.parametrize("name", ["owner", "search", "embed"])
def test_a_probe_is_let_through_and_closes_the_breaker(
    remote: Remote, guarded: Guarded, name: str
) -> None:
    failure, call = CALLS[name]
    probe = list(guarded.probes.values())[STORE[failure]]
    remote.error = failure()
    for _ in range(3):
        with pytest.raises(failure):
            call(guarded)
    for calls in (4, 5):
        with pytest.raises(failure):
            probe()
        assert remote.calls == calls
    with pytest.raises(failure):
        call(guarded)
    remote.error = None
    probe()
    call(guarded)


def test_what_happens_inside_a_transaction_is_nobody_elses_business(
    remote: Remote, guarded: Guarded
) -> None:
    for _ in range(9):
        with pytest.raises(DatabaseUnavailable), guarded.transactions.worker():
            raise DatabaseUnavailable
    assert remote.calls == 9


def test_a_transaction_hears_of_the_error_inside_it(guarded: Guarded) -> None:
    heard: list[object] = []

    class Inner:
        @contextmanager
        def owner(self, _: Principal) -> Iterator[None]:
            try:
                yield
            except Unauthenticated as error:
                heard.append(error)
                raise

    inner = cast(Transactions, Inner())
    transactions = guard(inner, cast(Any, None), BagOfWords(), deadline=1).transactions
    with pytest.raises(Unauthenticated), transactions.owner(SOMEBODY):
        raise Unauthenticated
    assert len(heard) == 1


class Hanging:
    """To be watched with: hangs until released, and remembers what it was asked."""

    def __init__(self) -> None:
        self.released = Event()
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> None:
        self.asked += texts
        assert self.released.wait(PATIENCE)


def probe_until_it_answers(embedder: GuardedEmbedder) -> None:
    """However short its deadline is, on a machine however busy."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(EmbedderUnavailable):
            embedder.probe()
            return
    raise AssertionError("it never answered")


def test_a_model_that_hangs_is_down_at_the_deadline_and_soon_not_asked() -> None:
    hanging = Hanging()
    circuit = Circuit("embedder", EmbedderUnavailable, monotonic=lambda: 0.0)
    with closing(GuardedEmbedder(BagOfWords(hanging), circuit, deadline=0.05)) as embedder:
        with pytest.raises(EmbedderUnavailable, match=r"within 0\.05 seconds"):
            embedder.embed(["x"])
        for _ in range(10):
            with pytest.raises(EmbedderUnavailable):
                embedder.embed(["x"])
        assert hanging.asked == ["x"] * 3
        hanging.released.set()
        probe_until_it_answers(embedder)
        assert not circuit.is_open()


def test_threads_that_all_hang_hold_no_caller_and_what_was_given_up_is_not_computed() -> None:
    hanging = Hanging()
    circuit = Circuit("embedder", EmbedderUnavailable)
    model = BagOfWords(hanging)
    with closing(GuardedEmbedder(model, circuit, deadline=0.05, threads=1)) as embedder:
        for text in ("hangs", "given up", "given up"):
            with pytest.raises(EmbedderUnavailable):
                embedder.embed([text])
        hanging.released.set()
        probe_until_it_answers(embedder)
        assert "given up" not in hanging.asked


def test_it_is_the_same_model() -> None:
    model = BagOfWords()
    circuit = Circuit("embedder", EmbedderUnavailable)
    with closing(GuardedEmbedder(model, circuit, deadline=PATIENCE)) as embedder:
        assert (embedder.fingerprint, embedder.dimension) == (model.fingerprint, model.dimension)
        assert (embedder.embed(["a", "b"]) == model.embed(["a", "b"])).all()
