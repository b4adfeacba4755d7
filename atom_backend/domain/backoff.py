"""How long to wait before the next attempt, and when to give up.

Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture
Blog, 2015): many entries that failed together do not come back together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SUSPECT_AFTER = 2
"""Entries with this many attempts behind them are leased apart from others: see ``together``."""

_SMALLER = 4


def together(attempts: int, *, batch: int, max_attempts: int) -> int:
    """How many entries with this many attempts behind them are leased at once.

    One of them may have killed its worker, and would do so again, to the harm of its neighbours.
    The others only were at hand, perhaps a hundred of them: one by one, they would take minutes.
    So groups become smaller with each attempt, and the last one is always made alone.
    """
    if attempts < SUSPECT_AFTER:
        return batch
    if attempts >= max_attempts - 1:
        return 1
    share: int = _SMALLER ** (attempts - SUSPECT_AFTER + 1)
    return max(1, batch // share)


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
