"""The web application of an open runtime."""

from __future__ import annotations

from flask import Flask

from atom_backend import __version__
from atom_backend.bootstrap import Runtime
from atom_backend.http.application import build_application
from atom_backend.http.limits import HttpLimits


def create_app(runtime: Runtime) -> Flask:
    """The application over the runtime's services, with its settings' limits and origins."""
    return build_application(
        runtime.services,
        limits=HttpLimits(body=runtime.settings.max_body_bytes),
        origins=frozenset(runtime.settings.cors_origins),
        version=__version__,
    )
