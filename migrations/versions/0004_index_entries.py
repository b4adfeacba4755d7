"""Index entries: what should be in the vector store, and the fence under which workers work.

``due_at`` is the moment from which a worker may take an entry: for a leased one, the end of its
lease. The partial indexes keep leasing, waiting and counting cheap beside a million settled rows;
the two on ``due_at`` part the entries that have failed often (``SUSPECT_AFTER`` in
``domain/backoff.py``) from the others. No foreign key: a tombstone outlives its item.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = """
create sequence lease_fence as bigint;

create table index_entries (
    item_id uuid primary key,
    owner_id uuid not null,
    kind text not null,
    revision bigint not null,
    leased_revision bigint,
    indexed_revision bigint not null default 0,
    deleted boolean not null default false,
    state text not null,
    due_at timestamptz not null,
    fence bigint,
    attempts integer not null default 0,
    reason text,
    spec text,
    chunk_count integer not null default 0,
    requested_at timestamptz not null,
    settled_at timestamptz,
    constraint index_entries_state check (state in ('due', 'leased', 'settled', 'parked')),
    constraint index_entries_lease check (
        state <> 'leased' or (fence is not null and leased_revision is not null)),
    constraint index_entries_settled check (
        state <> 'settled' or (spec is not null and indexed_revision >= revision and not deleted)),
    constraint index_entries_parked check (state <> 'parked' or reason is not null)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index index_entries_fresh on index_entries (due_at)
    where state in ('due', 'leased') and attempts < 2;
create index index_entries_suspect on index_entries (due_at)
    where state in ('due', 'leased') and attempts >= 2;
create index index_entries_waiting on index_entries (requested_at)
    where state in ('due', 'leased');
create index index_entries_parked on index_entries (requested_at) where state = 'parked';
create index index_entries_settled on index_entries (spec) where state = 'settled';
"""

SECURITY = """
alter table index_entries enable row level security, force row level security;
grant select, insert, update on index_entries to atom_app;
create policy own_rows on index_entries to atom_app using (owner_id = atom_owner());
grant select, update, delete on index_entries to atom_worker;
create policy working on index_entries to atom_worker using (true);
grant usage on sequence lease_fence to atom_worker;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SECURITY)
