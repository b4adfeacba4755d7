"""Ports whose calls can be paused or killed right before and right after their effect.

A call inside a PostgreSQL transaction takes effect when the transaction commits; "after" such a
call is after its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, cast

from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.domain.transactions import WorkerWork

Moment = tuple[str, str]
"""``("before", "add_chunks")``, say."""

Announce = Callable[[Moment], None]

_PATIENCE = 20.0


class Killed(BaseException):
    """The process ends here: no ``except`` of the service may see it."""


class KilledAt:
    """Kills the caller at the first such moment, and lets everybody pass after that."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self.happened = False

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment and not self.happened:
            self.happened = True
            raise Killed


class PausedAt:
    """Makes the caller wait at the first such moment, until ``go_on``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._reached, self._released = Event(), Event()

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment and not self._reached.is_set():
            self._reached.set()
            assert self._released.wait(_PATIENCE)

    def wait(self) -> None:
        """Until somebody is paused."""
        assert self._reached.wait(_PATIENCE), f"nobody came to {self._moment}"

    def go_on(self) -> None:
        self._released.set()


class _Watched:
    """Any port; ``effective`` is told the name of a call that has taken effect."""

    def __init__(self, inner: object, announce: Announce, effective: Callable[[str], None]) -> None:
        self._inner = inner
        self._announce = announce
        self._effective = effective

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def announced(*args: Any, **named: Any) -> Any:
            self._announce(("before", name))
            answer = call(*args, **named)
            self._effective(name)
            return answer

        return announced


class _WatchedWork:
    """The worker's transaction, its index watched."""

    def __init__(self, inner: WorkerWork, index: _Watched) -> None:
        self._inner = inner
        self.index = index

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _WatchedTransactions:
    def __init__(self, inner: Transactions, announce: Announce) -> None:
        self._inner = inner
        self._announce = announce

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def worker(self) -> Iterator[_WatchedWork]:
        called: list[str] = []
        with self._inner.worker() as work:
            yield _WatchedWork(work, _Watched(work.index, self._announce, called.append))
        for name in called:
            self._announce(("after", name))


def watched_transactions(inner: Transactions, announce: Announce) -> Transactions:
    return cast(Transactions, _WatchedTransactions(inner, announce))


def watched_vectors(inner: VectorStore, announce: Announce) -> VectorStore:
    watched = _Watched(inner, announce, lambda name: announce(("after", name)))
    return cast(VectorStore, watched)
