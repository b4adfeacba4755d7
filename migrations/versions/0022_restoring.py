"""Accounts can come back from an archive as they were, but for the balance.

That follows from the transactions that come back with them.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("grant insert (revision, created_at, updated_at) on accounts to atom_app")
