"""Erasures: how far the removal of a left account is, for whoever holds the erasure's identifier.

What is left is counted among the tombstones, which stay until the vector store is seen empty of
their items. No foreign key: an erasure is about an account that is gone.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

TABLE = """
create table erasures (
    id uuid primary key,
    owner_id uuid not null,
    items_total bigint not null,
    requested_at timestamptz not null default now(),
    completed_at timestamptz
);
create index erasures_running on erasures (owner_id) where completed_at is null;
"""

SECURITY = """
alter table erasures enable row level security, force row level security;
grant select, insert on erasures to atom_app;
create policy own_rows on erasures to atom_app using (owner_id = atom_owner());
grant select, update (completed_at) on erasures to atom_worker;
create policy working on erasures to atom_worker using (true);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SECURITY)
