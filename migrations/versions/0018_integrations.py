"""Integrations: what an assistant is connected to, and how far it is."""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0018"
down_revision = "0017"

TABLE = """
create table integrations (
    id uuid primary key,
    owner_id uuid not null references users (id) on delete cascade,
    revision bigint not null default 1,
    service text not null,
    account text not null,
    settings jsonb not null,
    state text not null,
    last_error text,
    last_sync_at timestamptz,
    cursor text,
    source text,
    external_id text,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint integrations_external_id_key unique (owner_id, external_id),
    constraint integrations_owner_key unique (id, owner_id),
    constraint integrations_key unique (owner_id, service, account),
    constraint integrations_error check (state <> 'error' or last_error is not null)
);
create index integrations_by_owner on integrations (owner_id, id);
create index integrations_by_service on integrations (owner_id, service);
create index integrations_by_state on integrations (owner_id, state);
create index integrations_by_last_sync_at on integrations (owner_id, last_sync_at);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(walled("integrations"))
