"""The web application of an open runtime."""

from __future__ import annotations

from flask import Flask

from atom_backend import __version__
from atom_backend.bootstrap import Runtime
from atom_backend.http.application import build_application
from atom_backend.http.client_address import TrustedProxies
from atom_backend.http.exposure import Exposure
from atom_backend.http.limits import HttpLimits
from atom_backend.http.rate_limits import RateLimits
from atom_backend.settings import Settings


def create_app(runtime: Runtime) -> Flask:
    """The application over the runtime's services, as its settings expose it."""
    return build_application(
        runtime.services,
        limits=HttpLimits(body=runtime.settings.max_body_bytes),
        exposure=_exposure(runtime.settings),
        version=__version__,
    )


def _exposure(settings: Settings) -> Exposure:
    return Exposure(
        origins=frozenset(settings.cors_origins),
        proxies=TrustedProxies(settings.trusted_proxies, settings.forwarded_header),
        rates=RateLimits(
            user=settings.user_requests_a_minute, address=settings.address_requests_a_minute
        ),
        by_https=(settings.public_url or "").startswith("https://"),
    )
