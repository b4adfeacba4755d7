"""How the service is reached from outside, as its settings say."""

from __future__ import annotations

from dataclasses import dataclass, field

from atom_backend.http.client_address import TrustedProxies
from atom_backend.http.rate_limits import RateLimits


@dataclass(frozen=True, slots=True)
class Exposure:
    """By whose pages, through which proxies, how often, and by what scheme.

    ``origins`` as browsers send them, ``https://app.example.org``, or ``*`` for any. ``by_https``:
    whether callers reach the service by HTTPS, whatever a proxy speaks with it.
    """

    origins: frozenset[str] = frozenset()
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    rates: RateLimits = field(default_factory=RateLimits)
    by_https: bool = False
