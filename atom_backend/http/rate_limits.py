"""How often somebody may ask: by user, and by address for whoever is not known.

Each has a bucket that holds the requests of one minute and fills up again evenly (GCRA, as in ATM's
traffic management). Answers tell the state of it (draft-ietf-httpapi-ratelimit-headers-09).
Invariants: a bucket is one number; however many callers there are, no more than ``MOST`` of them
are remembered, and who was forgotten has a full bucket again. Each process counts for itself.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from flask import Flask, Response, g, request

from atom_backend.domain.addresses import counted_as
from atom_backend.errors import TooManyRequests
from atom_backend.telemetry.context import current_remote_address

WINDOW = 60
"""Seconds in which a bucket fills up."""

MOST = 100_000
"""Callers that one process remembers: about 20 MB."""

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Standing:
    """A bucket after a request: what is left of it, seconds until it is full, and seconds until
    the request would be let through, 0 where it was."""

    policy: str
    quota: int
    remaining: int
    full_after: float
    retry_after: float


class Buckets:
    """The buckets of one policy; ``quota`` requests in each."""

    def __init__(
        self,
        policy: str,
        quota: int,
        *,
        most: int = MOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._quota = quota
        self._each = WINDOW / quota
        self._most = most
        self._monotonic = monotonic
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def take(self, whose: Hashable) -> Standing:
        """Take one request out of somebody's bucket, if there is one in it."""
        now = self._monotonic()
        with self._lock:
            before = max(self._full_at.get(whose, now), now)
            after = before + self._each
            late = after - now - WINDOW
            if late > _ROUNDING:
                return Standing(self._policy, self._quota, 0, before - now, late)
            self._full_at[whose] = after
            self._full_at.move_to_end(whose)
            if len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        left = int((WINDOW - (after - now)) / self._each + _ROUNDING)
        return Standing(self._policy, self._quota, left, after - now, 0.0)

    def __len__(self) -> int:
        return len(self._full_at)


class RateLimits:
    """The limits of the service, in requests a minute; 0: none.

    Callers on this machine have none: the operator's own, and those of a proxy that was not named,
    whose bucket would be everybody's.
    """

    def __init__(self, *, user: int = 0, address: int = 0) -> None:
        self._users = Buckets("user", user) if user else None
        self._addresses = Buckets("address", address) if address else None

    def charge_user(self, user_id: UUID) -> None:
        """Raises TooManyRequests (code ``rate_limited``)."""
        if self._users is not None and counted_as(current_remote_address()) is not None:
            _charge(self._users, user_id)

    def charge_address(self) -> None:
        """Raises TooManyRequests (code ``rate_limited``)."""
        address = counted_as(current_remote_address())
        if self._addresses is not None and address is not None:
            _charge(self._addresses, address)


def install(app: Flask, rates: RateLimits, closed: frozenset[str]) -> None:
    """Limit whoever asks for anything but the ``closed`` endpoints, which know their callers and
    charge them; and tell everybody how they stand."""

    def charge() -> None:
        if request.endpoint not in closed:
            rates.charge_address()

    def tell(response: Response) -> Response:
        standing: Standing | None = g.get("standing")
        if standing is not None:
            policy, after = f'"{standing.policy}"', math.ceil(standing.full_after)
            response.headers["RateLimit-Policy"] = f"{policy};q={standing.quota};w={WINDOW}"
            response.headers["RateLimit"] = f"{policy};r={standing.remaining};t={after}"
        return response

    app.before_request(charge)
    app.after_request(tell)


def _charge(buckets: Buckets, whose: Hashable) -> None:
    g.standing = standing = buckets.take(whose)
    if standing.retry_after > 0:
        raise TooManyRequests(code="rate_limited", retry_after=standing.retry_after)
