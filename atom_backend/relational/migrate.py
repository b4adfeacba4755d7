"""Bringing the database's schema to the version that this code needs.

Invariant: all migrations of a run are one transaction under one lock; whoever comes second waits
and then finds nothing to do.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from atom_backend.errors import ConfigurationError
from atom_backend.relational import deadline
from atom_backend.relational.engine import create_engine
from atom_backend.relational.locks import lock

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_DAY = 86_400.0
_BEGIN = sa.text("""
    select set_config('search_path', 'public', true), set_config('statement_timeout', '0', true),
        set_config('lock_timeout', :lock, true)
""")


def migrate(url: str, *, lock_timeout: float = 60.0) -> str:
    """Make the schema current and say its revision; concurrent callers take turns.

    The login must own the database and be able to create roles. Raises ConfigurationError, or
    DatabaseUnavailable, also when a lock was not free within ``lock_timeout`` seconds.
    """
    engine = create_engine(url, max_connections=0, application_name="atom-backend-migrate")
    try:
        with engine.connect() as connection, deadline.patience(connection, _DAY):
            connection.execute(_BEGIN, {"lock": f"{lock_timeout * 1000:.0f}ms"})
            _require_utf8(connection)
            lock(connection, "migrate")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()
    return head_revision()


def head_revision() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise ConfigurationError(f"There are no migrations in {_MIGRATIONS}.")
    return head


def current_revision(engine: Engine) -> str | None:
    """The revision that the database has; None before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _require_utf8(connection: Connection) -> None:
    encoding = connection.scalar(sa.text("select current_setting('server_encoding')"))
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The database's encoding is {encoding}, but must be UTF8: create it with"
            " \"create database NAME encoding 'UTF8' template template0\"."
        )
