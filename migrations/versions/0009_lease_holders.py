"""Who holds a lease, so that a worker can give back what an outage made it lose sight of."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table index_entries add column holders uuid[] not null default '{}'")
