"""Which faults there are, how often each comes, and how long it lasts."""

from __future__ import annotations

from random import Random

from tests.driver.steps import LEASE_SECONDS, WORKERS, Fault

_MOST_DELAY = 0.4
"""Seconds between an operation and the fault after it: by then, workers are at it."""

_KILLS = {
    "kill worker": 70,
    "kill all workers": 14,
    "kill web server": 7,
    "kill web": 3,
    "kill postmaster": 6,
    "kill guard": 1,
}
_OTHERS = {"pause worker": 55, "hide lancedb": 20, "run repair": 13, "run rebuild": 12}
_SECONDS = {
    "pause worker": (1.1 * LEASE_SECONDS, 2.5 * LEASE_SECONDS),
    "hide lancedb": (0.3, 3.0),
    "run repair": (0.2, 4.0),
    "run rebuild": (1.0, 60.0),
}


def a_kill(rng: Random, number: int) -> Fault:
    """One process, or several, by SIGKILL."""
    return _fault(rng, number, _KILLS)


def another_fault(rng: Random, number: int) -> Fault:
    """A pause, an outage, or a command beside everything else."""
    return _fault(rng, number, _OTHERS)


def _fault(rng: Random, number: int, kinds: dict[str, int]) -> Fault:
    (kind,) = rng.choices(list(kinds), list(kinds.values()))
    return Fault(
        number,
        kind,
        rng.randrange(WORKERS),
        delay=rng.uniform(0, _MOST_DELAY),
        seconds=rng.uniform(*_SECONDS.get(kind, (0.0, 0.0))),
    )
