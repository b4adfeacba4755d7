"""Ports whose calls can be paused, failed or killed right before and right after their effect.

Of a call inside a PostgreSQL transaction there are three moments: "before" it, "within" the
transaction that it has changed and that is not committed yet, and "after" the commit. A call of
the vector store takes effect by itself: there is "before" and "after".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import Any, cast

from atom_backend.domain.ports import Generations, Transactions, VectorStore

Moment = tuple[str, str]
"""``("before", "add_chunks")``, say."""

Announce = Callable[[Moment], None]

_PATIENCE = 20.0
_PARTS = {"index", "idempotency", "account", "store", "repairs", "erasures", "chain"}
"""What a transaction's work is made of; the calls of each are watched, and those of records."""


class Killed(BaseException):
    """The process ends here: no ``except`` of the service may see it."""


class FailingAt:
    """Fails the caller at the first such moment, and lets everybody pass after that."""

    def __init__(self, moment: Moment, error: BaseException) -> None:
        self._moment = moment
        self._error = error
        self.happened = False

    def __call__(self, moment: Moment) -> None:
        if moment == self._moment and not self.happened:
            self.happened = True
            raise self._error


class KilledAt(FailingAt):
    """Kills the caller at the first such moment, and lets everybody pass after that."""

    def __init__(self, moment: Moment) -> None:
        super().__init__(moment, Killed())


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
    """Any port; ``effective`` is told the name of a call that has been made."""

    def __init__(self, inner: object, announce: Announce, effective: Callable[[str], None]) -> None:
        self._inner = inner
        self._announce = announce
        self._effective = effective

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            if name in _PARTS:
                return _Watched(found, self._announce, self._effective)
            return found
        if name == "records":
            return lambda resource: _Watched(found(resource), self._announce, self._effective)

        def announced(*args: Any, **named: Any) -> Any:
            self._announce(("before", name))
            answer = found(*args, **named)
            self._effective(name)
            return answer

        return announced


class _WatchedTransactions:
    def __init__(self, inner: Transactions, announce: Announce) -> None:
        self._inner = inner
        self._announce = announce

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def owner(self, *args: Any) -> AbstractContextManager[_Watched]:
        return self._watched(self._inner.owner(*args))

    def worker(self) -> AbstractContextManager[_Watched]:
        return self._watched(self._inner.worker())

    def auditor(self) -> AbstractContextManager[_Watched]:
        return self._watched(self._inner.auditor())

    def census(self) -> AbstractContextManager[_Watched]:
        return self._watched(self._inner.census())

    @contextmanager
    def _watched(self, begun: AbstractContextManager[object]) -> Iterator[_Watched]:
        called: list[str] = []

        def effective(name: str) -> None:
            called.append(name)
            self._announce(("within", name))

        with begun as work:
            yield _Watched(work, self._announce, effective)
        for name in called:
            self._announce(("after", name))


def watched_transactions(inner: Transactions, announce: Announce) -> Transactions:
    return cast(Transactions, _WatchedTransactions(inner, announce))


def watched_vectors(inner: VectorStore, announce: Announce) -> VectorStore:
    watched = _Watched(inner, announce, lambda name: announce(("after", name)))
    return cast(VectorStore, watched)


def watched_generations(inner: Generations, announce: Announce) -> Generations:
    watched = _Watched(inner, announce, lambda name: announce(("after", name)))
    return cast(Generations, watched)
