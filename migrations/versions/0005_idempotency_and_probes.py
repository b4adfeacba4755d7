"""Answers kept by idempotency key, and the row that health probes write."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
create table idempotency_keys (
    owner_id uuid not null references users on delete cascade,
    key text not null,
    fingerprint bytea not null,
    status integer not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    primary key (owner_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

create table probes (
    name text primary key,
    written_at timestamptz not null
);
"""

SECURITY = """
alter table idempotency_keys enable row level security, force row level security;
grant select, insert, update on idempotency_keys to atom_app;
create policy own_rows on idempotency_keys to atom_app using (owner_id = atom_owner());
grant select (created_at), delete on idempotency_keys to atom_worker;
create policy sweeping on idempotency_keys to atom_worker using (true);

alter table probes enable row level security, force row level security;
grant select, insert, update on probes to atom_worker;
create policy probing on probes to atom_worker using (true);

grant select on alembic_version to public;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(SECURITY)
