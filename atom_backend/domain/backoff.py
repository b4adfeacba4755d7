"""How long to wait before the next attempt, and when to give up.

Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture
Blog, 2015): many entries that failed together do not come back together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SUSPECT_AFTER = 2
"""Entries with this many attempts behind them are leased alone, so that an entry that kills its
worker is parked without taking its neighbours with it."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: between ``floor`` and ``min(ceiling, base * 2 ** (attempts - 1))``."""

    base: float = 1.0
    ceiling: float = 300.0
    floor: float = 0.2
    max_attempts: int = 6

    def delay(self, attempts: int, chance: Callable[[], float]) -> float:
        """Seconds to wait after the given number of attempts (1 or more).

        ``chance`` gives a number in [0, 1), as ``random.random`` does.
        """
        exponent = min(attempts - 1, 32)
        highest = min(self.ceiling, self.base * 2.0**exponent)
        return self.floor + chance() * max(0.0, highest - self.floor)

    def exhausted(self, attempts: int) -> bool:
        """Whether an entry with this many attempts is to be parked instead of tried again."""
        return attempts >= self.max_attempts
