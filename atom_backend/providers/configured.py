"""All providers that the operator's file describes, on one pool of connections.

Invariant: no connection is opened, and no thread started, before one of them is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from atom_backend.clock import Clock
from atom_backend.errors import NotFound
from atom_backend.providers.client import HttpClient
from atom_backend.providers.provider import HttpOAuthProvider
from atom_backend.providers.registration import Registration


class ConfiguredProviders:
    """The ``Providers`` port."""

    def __init__(self, registrations: Mapping[str, Registration], clock: Clock) -> None:
        self._client = HttpClient()
        self._by_name = {
            name: HttpOAuthProvider(name, registration, self._client, clock)
            for name, registration in sorted(registrations.items())
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def get(self, name: str) -> HttpOAuthProvider:
        provider = self._by_name.get(name)
        if provider is None:
            raise NotFound("There is no OAuth provider of this name.", code="unknown_provider")
        return provider

    def close(self) -> None:
        self._client.close()
