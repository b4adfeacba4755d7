"""The real application with a real OAuth provider, asked through Flask's test client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import RunSql, run_sql
from tests.integration.http.conftest import Account, set_role
from tests.vaults import VAULT_KEY

if TYPE_CHECKING:
    from atom_backend.bootstrap import Runtime
    from atom_backend.relational.embedded import EmbeddedServer
    from atom_backend.relational.provision import DatabaseUrls
    from atom_backend.settings import Settings
    from tests.provider.running import RunningProvider

PUBLIC_URL = "http://127.0.0.1:8765"
CALLBACK = "/v1/oauth/tests/callback"
FRONT_END = "https://client.example.org/callback"
PAGE = "https://app.example.org/connected"


def described(server: RunningProvider) -> str:
    """The operator's file: the tests' provider, the same with no patience, and one that is down."""
    usual = f"""
        client_id = "posting"
        client_secret = "{server.secret_of("posting")}"
        client_authentication = "client_secret_post"
        authorization_endpoint = "{server.issuer}/auth"
        token_endpoint = "{server.issuer}/token"
        scopes = ["openid", "offline_access", "mail.read"]
    """
    revocation = f'revocation_endpoint = "{server.issuer}/token/revocation"'
    return f"""
        [tests]
        title = "The provider of the tests"
        {usual}
        {revocation}
        timeout_seconds = 5

        [impatient]
        {usual}
        {revocation}
        timeout_seconds = 0.3

        [unrevokable]
        {usual}

        [down]
        client_id = "posting"
        client_authentication = "none"
        authorization_endpoint = "http://127.0.0.1:9/auth"
        token_endpoint = "http://127.0.0.1:9/token"
        revocation_endpoint = "http://127.0.0.1:9/revoke"
        timeout_seconds = 1
    """


def environment_of(
    server: RunningProvider, database: str, owner: str, folder: Path
) -> dict[str, str]:
    """Of a service with that provider, on that database."""
    providers = folder / "providers.toml"
    providers.write_text(described(server), encoding="utf-8")
    return {
        "DATABASE_URL": database,
        "ATOM_MIGRATION_DATABASE_URL": owner,
        "ATOM_SIGNING_KEY": "only a test signs with this key, which is long enough",
        "ATOM_OAUTH_ENCRYPTION_KEY": VAULT_KEY,
        "ATOM_OAUTH_PROVIDERS": str(providers),
        "ATOM_OAUTH_REDIRECT_URIS": f"tests={FRONT_END}",
        "ATOM_PUBLIC_URL": PUBLIC_URL,
        "ATOM_CORS_ORIGINS": "https://app.example.org",
        "LANCEDB_URI": str(folder / "store"),
    }


@pytest.fixture(scope="session")
def environment(
    postgresql: EmbeddedServer,
    template: DatabaseUrls,
    provider_process: RunningProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """What a process of this service is started with."""
    name = f"oauth_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name} template atom")
    yield environment_of(
        provider_process,
        postgresql.url("atom_login", name),
        postgresql.url(database=name),
        tmp_path_factory.mktemp("oauth"),
    )
    run_sql(postgresql.url(), f"drop database if exists {name} with (force)")


@pytest.fixture(scope="session")
def settings(environment: dict[str, str]) -> Settings:
    from atom_backend.settings import Settings

    return Settings.from_environment(environment)


@pytest.fixture(scope="session")
def runtime(settings: Settings) -> Iterator[Runtime]:
    from atom_backend.bootstrap import open_web, prepare_stores

    prepare_stores(settings)
    with open_web(settings) as runtime:
        yield runtime


@pytest.fixture(scope="session")
def app(runtime: Runtime) -> Flask:
    from atom_backend.app import create_app

    return create_app(runtime)


@pytest.fixture
def account(app: Flask) -> Account:
    return Account(app)


@pytest.fixture
def stranger(app: Flask) -> Account:
    return Account(app)


@pytest.fixture
def service(app: Flask, settings: Settings) -> Account:
    """An account of the role ``service``, made by the operator."""
    account = Account(app)
    set_role(settings, account, "service")
    account.log_in()
    return account


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser of its own, with cookies and no access token."""
    return FlaskClient(app)


@pytest.fixture
def sql(settings: Settings) -> RunSql:
    """Run a statement as the superuser; its rows as a list."""
    assert settings.migration_database_url is not None
    url = settings.migration_database_url.get_secret_value()

    def run(statement: str, **parameters: Any) -> list[Any]:
        return run_sql(url, statement, **parameters)

    return run


class Flow:
    """An authorization that an account began in a browser."""

    def __init__(self, account: Account, browser: FlaskClient, /, **wish: Any) -> None:
        self.browser = browser
        headers = {"Authorization": f"Bearer {account.token}"}
        self.answer: Any = browser.post(
            "/v1/oauth/tests/authorize", json=wish, headers=headers, base_url=PUBLIC_URL
        )
        assert self.answer.status_code == 200, self.answer.text
        begun: Any = self.answer.json
        self.url: str = begun["authorization_url"]
        self.state: str = begun["state"]

    def come_back(self, brought: dict[str, str], **given: Any) -> Any:
        return self.browser.get(CALLBACK, query_string=brought, base_url=PUBLIC_URL, **given)


def connected(account: Account, server: RunningProvider, /, **wish: Any) -> Any:
    """A new grant of this account, by way of its front end."""
    asked = {"redirect_uri": FRONT_END, **wish}
    begun = account.post("/v1/oauth/tests/authorize", json=asked)
    assert begun.status_code == 200, begun.text
    brought = server.visit(begun.json["authorization_url"])
    finished = account.post(CALLBACK, json=brought)
    assert finished.status_code == 201, finished.text
    return finished.json


def make_old(sql: RunSql, grant: Any, *, seconds: float = 0) -> None:
    """Let the access token of this grant expire in so many seconds."""
    sql(
        "update oauth_grants set issued_at = now() - interval '1 hour', failed_at = null,"
        " expires_at = now() + make_interval(secs => :seconds) where id = :id",
        seconds=seconds,
        id=grant["id"],
    )


def deeds(sql: RunSql, item_id: str) -> list[str]:
    """What the audit trail tells of a grant or flow, in order."""
    rows = sql("select action from audit_entries where item_id = :id order by id", id=item_id)
    return [row.action for row in rows]
