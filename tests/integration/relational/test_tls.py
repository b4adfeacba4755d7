"""``sslmode=verify-full`` in the URL holds for all that connects; nothing is said without it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from atom_backend.app import create_app
from atom_backend.bootstrap import open_web, prepare_stores
from atom_backend.errors import ConfigurationError, DatabaseUnavailable
from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.migrate import migrate
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.tables import WORKER_CHANNEL
from atom_backend.relational.transport import exposure, warn_of_exposure
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.settings import Settings
from tests.conftest import RunSql
from tests.integration.http.conftest import Account
from tests.integration.relational.tls import SSL_REQUEST, Authority, Front

HOST = "db.example.org"
PASSWORD = "tangerine-canary"
CANARY = "marmalade-canary"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "trusted")


@pytest.fixture
def upstream(postgresql: EmbeddedServer) -> Path:
    return postgresql.sockets / ".s.PGSQL.5432"


@contextmanager
def fronted(upstream: Path, authority: Authority) -> Iterator[Front]:
    with Front(upstream, authority.serving(HOST)).listening() as front:
        yield front


def by_way_of(front: Front, behind: str, root: Path, host: str = HOST) -> str:
    """The URL of that server and database through the front, with a name for the front."""
    reached = sa.make_url(behind)
    query = f"hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={quote(str(root))}"
    login = f"{reached.username}:{PASSWORD}"
    return f"postgres://{login}@{host}:{front.port}/{reached.database}?{query}"


def test_the_whole_service_speaks_to_postgresql_by_tls(
    upstream: Path, authority: Authority, database: DatabaseUrls, tmp_path: Path
) -> None:
    with fronted(upstream, authority) as front:
        settings = Settings.from_environment(
            {
                "DATABASE_URL": by_way_of(front, database.service, authority.root),
                "ATOM_MIGRATION_DATABASE_URL": by_way_of(front, database.owner, authority.root),
                "ATOM_SIGNING_KEY": "k" * 32,
                "ATOM_DATA_DIR": str(tmp_path),
            }
        )
        prepare_stores(settings)
        with open_web(settings) as runtime:
            account = Account(create_app(runtime))
            stored = account.store(title=CANARY)
            assert account.get(f"/v1/documents/{stored['id']}").json["title"] == CANARY
            assert account.get("/healthz").json["database"]["postgresql"] == "healthy"
    assert CANARY.encode() in front.inside
    assert front.outside == SSL_REQUEST * (len(front.outside) // len(SSL_REQUEST))


def test_announcements_and_migrations_come_by_tls(
    upstream: Path, authority: Authority, database: DatabaseUrls, sql: RunSql
) -> None:
    with fronted(upstream, authority) as front:
        migrate(by_way_of(front, database.owner, authority.root))
        url = by_way_of(front, database.service, authority.root)
        with closing(PostgresWakeup(url)) as wakeup:
            assert wakeup.wait(20), "the first wait ends at once"
            sql(f"notify {WORKER_CHANNEL}")
            assert wakeup.wait(20)
        engine = create_engine(url, max_connections=0)
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            assert (raw.info.ssl_in_use, raw.info.host) == (True, HOST)
    assert b"listen" in front.inside
    assert set(front.outside) == set(SSL_REQUEST)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("another authority", "certificate verify failed"),
        ("another name", "does not match host name"),
        ("expired", "certificate verify failed"),
        ("no tls", "does not support SSL"),
    ],
)
def test_a_server_that_does_not_prove_who_it_is_hears_nothing(
    upstream: Path, authority: Authority, tmp_path: Path, case: str, said: str
) -> None:
    shown = {
        "another authority": Authority(tmp_path, "stranger").serving(HOST),
        "another name": authority.serving("other.example.org"),
        "expired": authority.serving(HOST, timedelta(days=-1)),
        "no tls": None,
    }[case]
    with Front(upstream, shown).listening() as front:
        url = by_way_of(front, "postgresql://atom_login@/atom", authority.root)
        with pytest.raises(DatabaseUnavailable) as refusal:
            create_engine(url, max_connections=0).connect()
        with closing(PostgresWakeup(url)) as wakeup:
            assert not wakeup.wait(0.2)
    message = refusal.value.message
    assert message.startswith("PostgreSQL is not trusted: ")
    assert said in message
    assert PASSWORD not in f"{refusal.value!r}{message}"
    assert front.inside == b""
    assert front.outside == SSL_REQUEST * (len(front.outside) // len(SSL_REQUEST)) != b""


def test_a_root_certificate_that_is_not_there_is_a_mistake_in_the_settings(
    upstream: Path, authority: Authority, database: DatabaseUrls, tmp_path: Path
) -> None:
    with fronted(upstream, authority) as front:
        url = by_way_of(front, database.service, tmp_path / "nowhere.crt")
        with pytest.raises(ConfigurationError, match=r"nowhere\.crt") as refusal:
            create_engine(url, max_connections=0).connect()
    assert PASSWORD not in refusal.value.message
    assert front.inside == b""


@pytest.mark.parametrize(
    ("host", "encrypted", "sslmode", "said"),
    [
        (HOST, False, "prefer", "is not encrypted"),
        ("192.0.2.1", False, "disable", "is not encrypted"),
        (HOST, True, "require", "does not check who answers"),
        (HOST, True, "verify-full", None),
        ("127.0.0.1", False, "prefer", None),
        ("::1", False, "prefer", None),
        ("localhost", False, "prefer", None),
        ("/run/postgresql", False, "prefer", None),
    ],
)
def test_what_can_be_read_or_forged_on_the_way_is_known(
    host: str, encrypted: bool, sslmode: str, said: str | None
) -> None:
    found = exposure(host, encrypted, sslmode)
    assert (found is None) == (said is None)
    assert said is None or said in str(found)


def test_an_exposed_connection_is_warned_of_once(
    upstream: Path, authority: Authority, database: DatabaseUrls, caplog: pytest.LogCaptureFixture
) -> None:
    with fronted(upstream, authority) as front:
        url = by_way_of(front, database.service, authority.root)
        for mode in ("verify-full", "require"):
            engine = create_engine(url.replace("verify-full", mode), max_connections=0)
            warn_of_exposure(engine)
            with caplog.at_level(logging.WARNING):
                for _ in range(2):
                    engine.connect().close()
    (line,) = [one.message for one in caplog.records if "connection to PostgreSQL" in one.message]
    assert "does not check who answers" in line
