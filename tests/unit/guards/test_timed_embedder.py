"""A model that hangs under a worker: what a call costs, and what is left behind."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event

import pytest

from atom_backend.errors import EmbedderUnavailable, RefusedVector
from atom_backend.guards.timed_embedder import MOST_HANGING, TimedEmbedder
from tests.deterministic import BagOfWords

PATIENCE = 20.0


class Hanging:
    """To be watched with: holds every call until it is released."""

    def __init__(self) -> None:
        self.released = Event()
        self.calls = 0

    def __call__(self, _: Sequence[str]) -> None:
        self.calls += 1
        assert self.released.wait(PATIENCE)


def test_a_call_that_hangs_ends_at_the_deadline() -> None:
    hanging = Hanging()
    embedder = TimedEmbedder(BagOfWords(hanging), deadline=0.05)
    with pytest.raises(EmbedderUnavailable, match=r"within 0\.05 seconds"):
        embedder.embed(["x"])
    hanging.released.set()


def test_only_so_many_calls_are_left_behind_and_it_works_again_once_they_return() -> None:
    hanging = Hanging()
    embedder = TimedEmbedder(BagOfWords(hanging), deadline=0.01)
    for _ in range(3 * MOST_HANGING):
        with pytest.raises(EmbedderUnavailable):
            embedder.embed(["x"])
    assert hanging.calls == MOST_HANGING
    hanging.released.set()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(EmbedderUnavailable):
            assert len(embedder.embed(["a", "b"])) == 2
            return
    raise AssertionError("it never worked again")


@pytest.mark.parametrize("error", [RefusedVector("no"), ValueError("a defect"), KeyError("x")])
def test_what_the_model_raises_is_raised_and_holds_no_thread(error: Exception) -> None:
    def fail(_: Sequence[str]) -> None:
        raise error

    embedder = TimedEmbedder(BagOfWords(fail), deadline=PATIENCE)
    for _ in range(2 * MOST_HANGING):
        with pytest.raises(type(error)) as raised:
            embedder.embed(["x"])
        assert raised.value is error


def test_it_is_the_same_model() -> None:
    model = BagOfWords()
    embedder = TimedEmbedder(model, deadline=PATIENCE)
    assert (embedder.fingerprint, embedder.dimension) == (model.fingerprint, model.dimension)
    assert (embedder.embed(["a", "b"]) == model.embed(["a", "b"])).all()
