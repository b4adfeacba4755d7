"""The real application over real stores, asked through Flask's test client.

One database and one LanceDB a test process; each test has accounts of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import run_sql
from tests.vaults import VAULT_KEY

if TYPE_CHECKING:
    from atom_backend.bootstrap import Runtime
    from atom_backend.relational.embedded import EmbeddedServer
    from atom_backend.relational.provision import DatabaseUrls
    from atom_backend.settings import Settings

PASSWORD = "correct horse battery"
ORIGIN = "https://app.example.org"


class Account:
    """A client that is logged in; its answers are ``Any``, for what they hold is what is tested."""

    def __init__(self, app: Flask) -> None:
        self._client = FlaskClient(app)
        self.email = f"{uuid.uuid4().hex}@example.org"
        given = {"email": self.email, "password": PASSWORD}
        self.registered = self.ask("POST", "/v1/auth/register", json=given).json
        self.token: str = self.registered["access_token"]

    def log_in(self) -> None:
        """A new session, whose token knows the account's present role."""
        given = {"email": self.email, "password": PASSWORD}
        self.token = self.ask("POST", "/v1/auth/login", json=given).json["access_token"]

    def ask(self, method: str, path: str, *, prefer: str | None = None, **given: Any) -> Any:
        headers = dict(given.pop("headers", {}))
        if prefer:
            headers["Prefer"] = prefer
        if hasattr(self, "token"):
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self._client.open(path, method=method, headers=headers, **given)

    def get(self, path: str, **given: Any) -> Any:
        return self.ask("GET", path, **given)

    def post(self, path: str, **given: Any) -> Any:
        return self.ask("POST", path, **given)

    def put(self, path: str, **given: Any) -> Any:
        return self.ask("PUT", path, **given)

    def patch(self, path: str, **given: Any) -> Any:
        return self.ask("PATCH", path, **given)

    def delete(self, path: str, **given: Any) -> Any:
        return self.ask("DELETE", path, **given)

    def store(self, **fields: Any) -> Any:
        """A new document; the answer's body."""
        answer = self.post("/v1/documents", json={"title": "Tea", "text": "Green tea."} | fields)
        assert answer.status_code == 201, answer.text
        return answer.json


@pytest.fixture(scope="session")
def settings(
    postgresql: EmbeddedServer, template: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    from atom_backend.settings import Settings

    name = f"http_{uuid.uuid4().hex}"
    run_sql(postgresql.url(), f"create database {name} template atom")
    yield Settings.from_environment(
        {
            "DATABASE_URL": postgresql.url("atom_login", name),
            "ATOM_MIGRATION_DATABASE_URL": postgresql.url(database=name),
            "ATOM_SIGNING_KEY": "only a test signs with this key, which is long enough",
            "ATOM_OAUTH_ENCRYPTION_KEY": VAULT_KEY,
            "ATOM_CORS_ORIGINS": ORIGIN,
            "ATOM_MAX_BODY_BYTES": str(256 * 1024),
            "LANCEDB_URI": str(tmp_path_factory.mktemp("lancedb") / "store"),
        }
    )
    run_sql(postgresql.url(), f"drop database if exists {name} with (force)")


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


@pytest.fixture(scope="session")
def index(settings: Settings, runtime: Runtime) -> Iterator[Callable[[], None]]:
    """The worker's rounds, until nothing is due."""
    from atom_backend.bootstrap import open_worker

    with open_worker(settings) as worker:

        def turn_until_idle() -> None:
            while worker.turn() == 0:
                pass

        yield turn_until_idle


@pytest.fixture
def account(app: Flask) -> Account:
    return Account(app)


@pytest.fixture
def stranger(app: Flask) -> Account:
    return Account(app)


@pytest.fixture
def admin(app: Flask, settings: Settings) -> Account:
    """An administrator, made by the operator."""
    account = Account(app)
    set_role(settings, account, "admin")
    account.log_in()
    return account


def set_role(settings: Settings, account: Account, role: str) -> None:
    assert settings.migration_database_url is not None
    owner = settings.migration_database_url.get_secret_value()
    change = "update users set role = :role where id = :id"
    run_sql(owner, change, role=role, id=account.registered["user"]["id"])
