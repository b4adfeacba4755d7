"""Which LanceDB store is this database's, and which generation of its tables is current.

One row at most; none until the first store is prepared. A worker confirms only what it wrote into
the current generation, and holds the row while it does, so that the generation cannot change
between the look and the confirmation.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

TABLE = """
create table vector_store (
    single boolean primary key default true,
    store_id uuid not null,
    generation bigint not null,
    changed_at timestamptz not null default now(),
    constraint vector_store_single check (single),
    constraint vector_store_generation check (generation > 0)
);
"""

SECURITY = """
alter table vector_store enable row level security, force row level security;
grant select, insert, update on vector_store to atom_worker;
create policy working on vector_store to atom_worker using (true);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SECURITY)
