"""How alembic reaches the database: over the connection that ``relational.migrate`` hands to it.

Invariant: all migrations of one run happen in that caller's transaction, so that a schema is
either wholly at its new revision or untouched.
"""

from __future__ import annotations

from alembic import context

from atom_backend.errors import ConfigurationError
from atom_backend.relational.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise ConfigurationError("Run migrations with 'python -m atom_backend migrate'.")

context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
