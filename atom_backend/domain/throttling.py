"""How attempts to prove who one is are slowed, when they fail.

Invariants: an attempt is counted before it is judged, so that many at once are not let through
while the first is still being looked at; one that is turned away costs nobody anything, so waiting
as told always helps; no wait is longer than its policy says, so nobody is locked out for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

FORGOTTEN_AFTER = 3600.0
"""Seconds without a failure, after which the earlier ones do not count."""

KNOWN_FOR_DAYS = 90
"""How long an address counts as one from which an account is used."""

_LONGEST_EXPONENT = 32


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one kind of attempt: the failures in a row, the age of the last one in
    seconds, and whether an attempt has succeeded lately."""

    failures: int = 0
    age: float = 0.0
    known: bool = False


@dataclass(frozen=True, slots=True)
class Slowing:
    """``free`` failures cost nothing; after each further one the wait doubles, from one second up
    to ``longest`` seconds."""

    free: int
    longest: float

    def wait(self, tally: Tally) -> float:
        """Seconds until the next attempt is judged, from now on; 0 at once."""
        if tally.failures < self.free or tally.age >= FORGOTTEN_AFTER:
            return 0.0
        doubled = 2.0 ** min(tally.failures - self.free, _LONGEST_EXPONENT)
        return max(0.0, min(doubled, self.longest) - tally.age)


PAIR = Slowing(free=5, longest=900.0)
"""One account from one address."""

ACCOUNT = Slowing(free=20, longest=60.0)
"""One account from wherever: many addresses together are slowed, too, and its owner, at an address
from which the account was never used, waits a minute at most."""

ADDRESS = Slowing(free=50, longest=900.0)
"""One address, whichever account it tries: passwords tried on many accounts, tokens made up."""

REGISTRATIONS = Slowing(free=20, longest=900.0)
"""Accounts made, or asked for, from one address."""

PASSWORD = Slowing(free=5, longest=900.0)
"""The password of whoever is logged in already."""


class Attempts(Protocol):
    """The tallies, by keys that tell nothing of what they were made from."""

    def look(self, keys: Sequence[bytes]) -> Mapping[bytes, Tally]:
        """The tallies as they are, for nobody to wait."""
        ...

    def lock(self, keys: Sequence[bytes]) -> Mapping[bytes, Tally]:
        """The tallies; other attempts under these keys wait until the transaction ends."""
        ...

    def count(self, keys: Sequence[bytes]) -> None:
        """One more failure, for keys that were locked."""
        ...

    def succeed(self, own: bytes, shared: Sequence[bytes]) -> None:
        """What was counted was no failure; those under ``own`` are forgiven altogether."""
        ...


class AttemptKeys(Protocol):
    """From what was tried to what it is counted under."""

    def key(self, purpose: str, *parts: str) -> bytes:
        """32 bytes, the same in every process, from which nothing of the parts can be learnt."""
        ...
