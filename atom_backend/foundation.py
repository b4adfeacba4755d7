"""The PostgreSQL that everything stands on: an operator's own, or an embedded one; and what is read
before anything is opened.

The lower half of the composition root, apart from ``bootstrap`` so that a supervisor, which opens
no store, does not load the libraries of all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from atom_backend.domain.oauth_redirects import Redirects
from atom_backend.providers.provider_file import read_providers
from atom_backend.providers.registration import Registration
from atom_backend.relational.embedded import EmbeddedServer, start_embedded
from atom_backend.relational.migrate import head_revision, migrate
from atom_backend.relational.provision import DatabaseUrls, provision, service_urls
from atom_backend.settings import Settings


class Foundation:
    """A PostgreSQL that runs while this is open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: EmbeddedServer | None = None
        if not settings.database_url:
            self._server = self._start()

    @property
    def urls(self) -> DatabaseUrls:
        """What the service connects as, and what migrates."""
        if self._server is not None:
            return service_urls(self._server)
        service = self._settings.database_url
        assert service is not None
        owner = self._settings.migration_database_url or service
        return DatabaseUrls(owner=owner.get_secret_value(), service=service.get_secret_value())

    def migrate(self) -> str:
        """Make or upgrade the schema; a sentence about it."""
        if self._server is not None:
            provision(self._server)
        else:
            migrate(self.urls.owner)
        return f"PostgreSQL is at revision {head_revision()}."

    def keep_running(self) -> None:
        """Start the embedded server again if it has died."""
        if self._server is not None and not self._server.alive():
            self._server.close()
            self._server = self._start()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _start(self) -> EmbeddedServer:
        folder = self._settings.data_dir / "postgres"
        return start_embedded(folder, binaries=self._settings.postgres_bin)


@contextmanager
def lay_foundation(settings: Settings) -> Iterator[Foundation]:
    """PostgreSQL, running until the context ends."""
    foundation = Foundation(settings)
    try:
        yield foundation
    finally:
        foundation.close()


def redirects_of(settings: Settings) -> Redirects:
    """Where browsers may be sent in the course of an authorization."""
    return Redirects.configured(
        settings.public_url, settings.oauth_redirect_uris, settings.cors_origins
    )


def registered_providers(settings: Settings) -> dict[str, Registration]:
    """What the operator's file of OAuth providers says; without a file, that there are none.

    Raises ConfigurationError with everything that is wrong with it.
    """
    if settings.oauth_providers is None:
        return {}
    return read_providers(settings.oauth_providers.absolute(), os.environ)
