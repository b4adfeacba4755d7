"""The service's own database on the embedded server.

Invariant: the service connects as ``atom_login``, which owns nothing and inherits nothing; it can
only switch to the roles of its work. The superuser migrates and is used for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.relational.deadline import patience
from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.locks import turn
from atom_backend.relational.migrate import migrate
from atom_backend.relational.roles import SERVICE_ROLES

_DATABASE = "atom"
_LOGIN = "atom_login"
_PATIENCE = 60.0

_CREATE_LOGIN = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{_LOGIN}') then
        create role {_LOGIN} login noinherit;
    end if;
end $$;
grant {", ".join(SERVICE_ROLES)} to {_LOGIN};
"""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """``owner`` migrates; ``service`` does everything else."""

    owner: str = field(repr=False)
    service: str = field(repr=False)


def service_urls(server: EmbeddedServer) -> DatabaseUrls:
    """Where the service's database is, made or not."""
    return DatabaseUrls(server.url(database=_DATABASE), server.url(_LOGIN, _DATABASE))


def provision(server: EmbeddedServer) -> DatabaseUrls:
    """Make the database, its schema and its login, as far as they are missing.

    Concurrent callers take turns. Raises as ``migrate`` does.
    """
    urls = service_urls(server)
    with turn(server.url(), "provision"), _outside_transactions(server.url()) as connection:
        known = sa.text("select 1 from pg_database where datname = :name")
        if connection.scalar(known, {"name": _DATABASE}) is None:
            connection.execute(sa.text(f"create database {_DATABASE}"))
        migrate(urls.owner)
        connection.execute(sa.text(_CREATE_LOGIN))
    return urls


@contextmanager
def _outside_transactions(url: str) -> Iterator[Connection]:
    """A database cannot be created inside a transaction."""
    engine = create_engine(url, max_connections=0).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, patience(connection, _PATIENCE):
        yield connection
