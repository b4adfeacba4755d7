"""Our adapter, as it is wired in the service, on a file that describes the tests' provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atom_backend.domain.oauth import IssuedTokens, OAuthProvider, new_verifier
from atom_backend.domain.secrets import Secret
from atom_backend.providers.configured import ConfiguredProviders
from atom_backend.providers.provider_file import read_providers
from tests.integration.providers.scripted import ScriptedServer
from tests.provider.running import RunningProvider

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLBACK = "http://127.0.0.1:1/v1/oauth/callback"
SCOPES = ("mail.read", "mail.send")

Configure = Callable[[str], ConfiguredProviders]


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOON


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Configure]:
    """The providers of a file with this text."""
    with ExitStack() as opened:

        def made(text: str) -> ConfiguredProviders:
            path = tmp_path / "providers.toml"
            path.write_text(text, encoding="utf-8")
            providers = ConfiguredProviders(read_providers(path, {}), Noon())
            return opened.enter_context(closing(providers))

        yield made


@pytest.fixture
def provider(configure: Configure, oauth_server: RunningProvider) -> OAuthProvider:
    """The tests' provider, found by discovery, with a confidential client."""
    return configure(described(oauth_server)).get("tests")


def described(server: RunningProvider, client_id: str = "confidential", more: str = "") -> str:
    """A table of the operator's file."""
    secret = server.secret_of(client_id) if client_id != "public" else None
    authentication = f"client_secret = '{secret}'" if secret else 'client_authentication = "none"'
    return f"""
        [tests]
        issuer = "{server.issuer}"
        client_id = "{client_id}"
        {authentication}
        scopes = ["mail.read"]
        {more}
    """


@dataclass(frozen=True)
class Brought:
    """What an owner brought back from the provider."""

    code: Secret
    verifier: Secret
    issuer: str | None

    def exchanged_at(self, provider: OAuthProvider) -> IssuedTokens:
        return provider.exchange(
            code=self.code, verifier=self.verifier, redirect_uri=CALLBACK, issuer=self.issuer
        )


def authorize(provider: OAuthProvider, server: RunningProvider) -> Brought:
    """Let an owner go there and consent."""
    verifier = new_verifier()
    url = provider.authorization_url(
        state="a state", verifier=verifier, redirect_uri=CALLBACK, scopes=SCOPES
    )
    brought = server.visit(url)
    assert brought["state"] == "a state", brought
    return Brought(Secret(brought["code"]), verifier, brought["iss"])


def grant(provider: OAuthProvider, server: RunningProvider) -> IssuedTokens:
    """Tokens of a fresh grant."""
    return authorize(provider, server).exchanged_at(provider)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A provider that answers by script."""
    with closing(ScriptedServer()) as server:
        yield server
