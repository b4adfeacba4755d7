"""Web processes of the service that know OAuth grants alone, and so start in a moment.

Run with the service's environment and the ports to serve, one process each. Invariant: each has
connections, threads and locks of its own, and they end with the one that was started.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from werkzeug.serving import make_server

from atom_backend.clock import SystemClock
from atom_backend.domain.oauth_redirects import Redirects
from atom_backend.foundation import registered_providers
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.http.application import build_application
from atom_backend.http.exposure import Exposure
from atom_backend.http.limits import HttpLimits
from atom_backend.http.resources import oauth_grants
from atom_backend.http.services import Services
from atom_backend.providers.configured import ConfiguredProviders
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.oauth import assemble_oauth
from atom_backend.settings import Settings
from atom_backend.telemetry.logs import configure_logging
from atom_backend.telemetry.metrics import Metrics
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer

_CONNECTIONS = 8
"""A small pool: those who wait for a refresh in the same process must not need one each."""


def services_of(settings: Settings) -> Services:
    """What the routes of grants call, and nothing else."""
    assert settings.database_url is not None
    assert settings.signing_key is not None
    clock, metrics = SystemClock(), Metrics()
    engine = create_engine(settings.database_url.get_secret_value(), max_connections=_CONNECTIONS)
    transactions = PostgresTransactions(engine)
    oauth = assemble_oauth(
        transactions,
        VerifiedVault(EnvelopeSealer(Keyring(settings.vault_keys)), transactions),
        ConfiguredProviders(registered_providers(settings), clock),
        Redirects.configured(None, [], []),
        clock=clock,
        count=metrics.oauth,
        connections=_CONNECTIONS,
    )
    key = settings.signing_key.get_secret_value().encode()
    tokens = SignedAccessTokens(key, clock, lifetime=timedelta(minutes=15))
    return cast(
        Services, SimpleNamespace(oauth=oauth, access_tokens=tokens, api_keys=None, metrics=metrics)
    )


def serve(port: int) -> None:
    """One web process, until it is killed."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, settings.log_format)
    app = build_application(
        services_of(settings),
        limits=HttpLimits(),
        exposure=Exposure(),
        version="0",
        resources=[oauth_grants.routes],
    )
    server = make_server("127.0.0.1", port, app, threaded=True)
    os.write(1, f"serving {port} as {os.getpid()}\n".encode())
    server.serve_forever()


def main(ports: list[int]) -> None:
    """The processes, until SIGTERM."""
    children = []
    for port in ports:
        child = os.fork()
        if not child:
            serve(port)
        children.append(child)
    signal.sigwait({signal.SIGTERM})
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main([int(port) for port in sys.argv[1:]])
