"""The service's own database on the embedded server.

Invariant: the service connects as ``atom_login``, which owns nothing and inherits nothing; it can
only switch to the roles of its work. The superuser migrates and is used for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine
from atom_backend.relational.locks import lock
from atom_backend.relational.migrate import migrate

_DATABASE = "atom"
_LOGIN = "atom_login"

_CREATE_LOGIN = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{_LOGIN}') then
        create role {_LOGIN} login noinherit;
    end if;
end $$;
grant atom_app, atom_auth, atom_worker to {_LOGIN};
"""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """``owner`` migrates; ``service`` does everything else."""

    owner: str
    service: str


def service_urls(server: EmbeddedServer) -> DatabaseUrls:
    """Where the service's database is, made or not."""
    return DatabaseUrls(server.url(database=_DATABASE), server.url(_LOGIN, _DATABASE))


def provision(server: EmbeddedServer) -> DatabaseUrls:
    """Make the database, its schema and its login, as far as they are missing.

    Concurrent callers take turns. Raises as ``migrate`` does.
    """
    engine = create_engine(server.url(), max_connections=0)
    urls = service_urls(server)
    try:
        with engine.begin() as turn:
            lock(turn, "provision")
            _create_database(engine)
            migrate(urls.owner)
            turn.execute(sa.text(_CREATE_LOGIN))
    finally:
        engine.dispose()
    return urls


def _create_database(engine: Engine) -> None:
    """In a connection of its own: a database cannot be created inside a transaction."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        known = sa.text("select 1 from pg_database where datname = :name")
        if connection.scalar(known, {"name": _DATABASE}) is None:
            connection.execute(sa.text(f"create database {_DATABASE}"))
