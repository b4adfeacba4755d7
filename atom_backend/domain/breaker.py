"""A circuit breaker: do not keep asking what does not answer, and notice soon when it does again.

    closed --failures in a row--> open --pause over--> half-open --success--> closed
                                   ^                       |
                                   +---failure, longer-----+

(Nygard, "Release It!", second edition, 2018, chapter 5.) A breaker is a value: each event gives the
next one. Invariants: half-open lets one call through at a time; no pause is longer than
``longest``; a call's outcome counts only for the epoch in which the call was let through, so that
what is late decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """``failures`` in a row open it. Pauses in seconds: ``first``, doubled up to ``longest``, each
    shortened by up to a half, so that many processes do not come back together."""

    failures: int = 3
    first: float = 0.5
    longest: float = 5.0

    def pause(self, openings: int, chance: Callable[[], float]) -> float:
        """After so many openings in a row; ``chance`` gives a number in [0, 1)."""
        highest = min(self.longest, self.first * 2.0 ** min(openings - 1, 32))
        return highest * (1 - chance() / 2)


@dataclass(frozen=True, slots=True)
class Breaker:
    """One state. Times are those of a monotonic clock, in seconds."""

    policy: BreakerPolicy = BreakerPolicy()
    failures: int = 0
    openings: int = 0
    until: float = 0.0
    trying: bool = False
    epoch: int = 0

    @property
    def closed(self) -> bool:
        return self.openings == 0

    def wait(self, now: float) -> float | None:
        """Seconds until a call may pass; ``None`` when one may pass now."""
        if self.closed:
            return None
        if self.trying:
            return self.policy.first
        return self.until - now if now < self.until else None

    def passed(self) -> Breaker:
        """A call passes, which ``wait`` allowed: unless closed, it is the only one for now."""
        if self.closed:
            return self
        return replace(self, trying=True, epoch=self.epoch + 1)

    def succeeded(self, epoch: int) -> Breaker:
        """A call of this epoch was answered."""
        return self.healthy() if epoch == self.epoch else self

    def failed(self, epoch: int, now: float, chance: Callable[[], float]) -> Breaker:
        """A call of this epoch was not answered."""
        if epoch != self.epoch:
            return self
        if self.closed and self.failures + 1 < self.policy.failures:
            return replace(self, failures=self.failures + 1)
        openings = self.openings + 1
        return Breaker(
            self.policy,
            openings=openings,
            until=now + self.policy.pause(openings, chance),
            epoch=self.epoch + 1,
        )

    def given_up(self, epoch: int) -> Breaker:
        """A call of this epoch ended for reasons of its own and says nothing."""
        return replace(self, trying=False) if epoch == self.epoch and self.trying else self

    def healthy(self) -> Breaker:
        """It answers: closed, whatever was before."""
        if self.closed:
            return replace(self, failures=0) if self.failures else self
        return Breaker(self.policy, epoch=self.epoch + 1)
