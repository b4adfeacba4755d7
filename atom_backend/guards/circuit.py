"""A breaker that threads share, around the calls of one port.

Invariants: the lock is held while deciding and never during a call; whatever lets a call pass
hears how it ended, so that a trial cannot be forgotten; while open, a call fails at once with the
error of the port, which says when to come back.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from atom_backend.domain.breaker import Breaker, BreakerPolicy
from atom_backend.errors import AtomError, DependencyError

logger = logging.getLogger(__name__)


class Circuit:
    """Counts errors of class ``failure``; any other error of ours is an answer."""

    def __init__(
        self,
        name: str,
        failure: type[DependencyError],
        *,
        policy: BreakerPolicy = BreakerPolicy(),  # noqa: B008
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._failure = failure
        self._monotonic = monotonic
        self._chance = chance
        self._lock = Lock()
        self._breaker = Breaker(policy)

    def is_open(self) -> bool:
        """Whether callers are being turned away, but for one trial at a time."""
        return not self._breaker.closed

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make a call inside. Raises ``failure`` with ``retry_after``, at once, while open."""
        epoch = self._pass()
        try:
            yield
        except self._failure as error:
            now = self._monotonic()
            self._step(lambda b: b.failed(epoch, now, self._chance), error.message)
            raise
        except AtomError:
            self._step(lambda b: b.succeeded(epoch))
            raise
        except BaseException:
            self._step(lambda b: b.given_up(epoch))
            raise
        self._step(lambda b: b.succeeded(epoch))

    def healthy(self) -> None:
        """A probe, which asks no breaker, was answered."""
        self._step(Breaker.healthy)

    def _pass(self) -> int:
        with self._lock:
            wait = self._breaker.wait(self._monotonic())
            if wait is None:
                self._breaker = self._breaker.passed()
                return self._breaker.epoch
        raise self._failure(f"{self.name} did not answer a moment ago.", retry_after=wait)

    def _step(self, event: Callable[[Breaker], Breaker], why: str = "") -> None:
        with self._lock:
            before, self._breaker = self._breaker, event(self._breaker)
            after = self._breaker
        if before.closed and not after.closed:
            logger.warning("%s is not asked for a while: %s", self.name, why)
        elif after.closed and not before.closed:
            logger.info("%s answers again", self.name)
