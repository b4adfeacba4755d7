"""The connection pool: how this process reaches PostgreSQL.

Invariant: nothing relies on the state of a connection between transactions, so that a pooler in
transaction mode (pgbouncer) may stand between. Limits on time are set in each transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.pool import NullPool, Pool, QueuePool

from atom_backend.errors import ConfigurationError
from atom_backend.relational import deadline, prepared
from atom_backend.relational.translate import translate

_DRIVER = "postgresql+psycopg2"
_SCHEMES = ("postgres", "postgresql", _DRIVER)


def normalized_url(url: str) -> URL:
    """The URL with psycopg2 as its driver. Raises ConfigurationError, without repeating the URL."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError("DATABASE_URL is not a URL.") from None
    if parsed.drivername not in _SCHEMES:
        raise ConfigurationError("DATABASE_URL must begin with 'postgresql://'.")
    return parsed.set(drivername=_DRIVER)


def create_engine(
    url: str,
    *,
    max_connections: int = 20,
    pool_timeout: float = 30.0,
    connect_timeout: float = 5.0,
    application_name: str = "atom-backend",
) -> Engine:
    """At most ``max_connections`` connections, opened when first needed. Times in seconds.

    ``pool_timeout``: how long a caller waits for a free connection; ``connect_timeout``: how long
    opening one may take. ``max_connections=0`` keeps none: each use opens its own.
    """
    pool: type[Pool] = QueuePool if max_connections else NullPool
    sizes = {
        "pool_size": max_connections,
        "max_overflow": 0,
        "pool_timeout": pool_timeout,
        "pool_use_lifo": True,
    }
    engine = sa.create_engine(
        normalized_url(url),
        poolclass=pool,
        **(sizes if max_connections else {}),
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        json_deserializer=from_json,
        connect_args={
            "application_name": application_name,
            "client_encoding": "utf8",
            "connection_factory": deadline.connections(connect_timeout),
        },
    )
    event.listen(engine, "handle_error", translate, retval=True)
    if max_connections:
        prepared.install(engine)
    return engine
