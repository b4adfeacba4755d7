"""A deployment with everything around it that can fail: its networks, its PostgreSQL, its disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from atom_backend.bootstrap import prepare_vectors
from atom_backend.relational.embedded import EmbeddedServer, start_embedded
from atom_backend.relational.embedded.postmaster import live_postmaster
from atom_backend.relational.embedded.sockets import SOCKET
from atom_backend.relational.provision import DatabaseUrls, provision
from atom_backend.settings import Settings
from tests.conftest import run_sql
from tests.faults.deployment import Deployment, eventually
from tests.faults.proxy import Proxy
from tests.promises.stores import out_of_order, parked, still_waiting
from tests.vaults import VAULT_KEY

CONNECTIONS = 4
"""To PostgreSQL, from each process at most."""

SETTINGS = {
    "ATOM_SIGNING_KEY": "the same key for every process of this deployment",
    "ATOM_OAUTH_ENCRYPTION_KEY": VAULT_KEY,
    "ATOM_DATABASE_DEADLINE_SECONDS": "2",
    "ATOM_SEARCH_DEADLINE_SECONDS": "2",
    "DB_MAX_CONNECTIONS": str(CONNECTIONS),
    "DB_POOL_TIMEOUT": "1",
    "ATOM_CONSISTENCY_SECONDS": "0",
}
"""Deadlines are short, so that tests are, and no repair comes to help. Leases are as long as ever:
no test waits for their end, because an outage must not cost their length."""

_UNDONE = "select 1 from index_entries where state <> 'settled' or attempts > 0 limit 1"
_ENTRIES = "select state, attempts, reason, count(*) from index_entries group by 1, 2, 3"


@dataclass
class Site:
    """The server and the networks may be broken; they must work again when a test ends."""

    deployment: Deployment
    server: EmbeddedServer
    urls: DatabaseUrls
    lance: Path
    web_network: Proxy
    worker_network: Proxy

    @property
    def networks(self) -> tuple[Proxy, Proxy]:
        return self.web_network, self.worker_network

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """As the superuser, past the proxies."""
        return run_sql(self.urls.owner, statement, **parameters)

    @contextmanager
    def locked(self, document: str) -> Iterator[None]:
        """Nobody else can write this document's row meanwhile."""
        engine = sa.create_engine(self.urls.owner, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(
                sa.text("select 1 from items where id = :id for update"), {"id": document}
            )
            yield

    def kill_server(self) -> None:
        """SIGKILL for PostgreSQL's first process, as a machine that is out of memory sends it."""
        postmaster = live_postmaster(self.server.folder.cluster)
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGKILL)
        eventually(lambda: not self.server.alive())

    def start_server(self) -> None:
        """The same cluster again, at the same address."""
        self.server.close()
        self.server = start_embedded(self.server.folder.path)

    def wait_until_in_step(self) -> None:
        """Until both stores agree on every item: none parked, and nothing held against any."""
        eventually(lambda: not self.sql(_UNDONE), self.story)
        assert [*out_of_order(self.sql, self.lance), *still_waiting(self.sql)] == []
        assert parked(self.sql) == {}

    def story(self) -> str:
        return f"{self.sql(_ENTRIES)}\n{self.deployment.story()}"


@contextmanager
def a_site(folder: Path, password: str | None = None, **settings: str) -> Iterator[Site]:
    """Everything running and healthy, with these settings beside or instead of ``SETTINGS``.

    ``password``: what the service connects to PostgreSQL with, which does not ask for one.
    """
    with ExitStack() as stack:
        server = start_embedded(folder / "postgresql")
        stack.callback(server.close)
        urls = provision(server)
        lance = folder / "lancedb"
        settings = {**SETTINGS, "LANCEDB_URI": str(lance), **settings}
        prepare_vectors(Settings.from_environment({**settings, "DATABASE_URL": urls.service}))
        web, worker = (stack.enter_context(Proxy(server.sockets / SOCKET)) for _ in range(2))
        reached = make_url(urls.service).set(password=password)
        service = reached.render_as_string(hide_password=False)
        deployment = Deployment(
            web_database=web.url(service), worker_database=worker.url(service), **settings
        )
        stack.callback(deployment.stop)
        deployment.wait_until_healthy()
        site = Site(deployment, server, urls, lance, web, worker)
        stack.callback(lambda: site.server.close())  # noqa: PLW0108  # a test may have replaced it
        yield site
