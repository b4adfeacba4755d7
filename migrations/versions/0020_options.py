"""Preferences of users, and the configuration that administrators set for the whole service.

The configuration has no owner, so a trigger of its own leaves its audit entries; like the others
it runs as ``atom_auth``. That role also signs people in, reads what is configured about it, and
writes when an operator asks by command.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0020"
down_revision = "0019"

PREFERENCES = """
create table preferences (
    id uuid primary key,
    owner_id uuid not null references users (id) on delete cascade,
    revision bigint not null default 1,
    value jsonb not null,
    source text,
    external_id text,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint preferences_external_id_key unique (owner_id, external_id),
    constraint preferences_owner_key unique (id, owner_id)
);
create index preferences_by_owner on preferences (owner_id, id);
"""

CONFIGURATION = """
create table configuration (
    key text primary key,
    id uuid not null,
    value jsonb not null,
    revision bigint not null default 1,
    updated_at timestamptz not null default now(),
    updated_by uuid references users (id) on delete set null
);
alter table configuration enable row level security, force row level security;
grant select, insert, update, delete on configuration to atom_app, atom_auth;
create policy administrating on configuration to atom_app
    using ((select atom_administrator()));
create policy operating on configuration to atom_auth using (true);
"""

AUDIT = """
create function atom_audit_configuration() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    written record;
begin
    if tg_op = 'DELETE' then written := old; else written := new; end if;
    insert into audit_entries (
        user_id, session_id, request_id, remote_address, action, resource, item_id, revision
    ) values (
        atom_owner(),
        nullif(current_setting('atom.session_id', true), '')::uuid,
        nullif(current_setting('atom.request_id', true), ''),
        nullif(current_setting('atom.remote_address', true), ''),
        case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'change' else 'remove' end,
        tg_table_name, written.id, written.revision
    );
    return null;
end $$;
revoke execute on function atom_audit_configuration() from public;
grant create on schema public to atom_auth;
alter function atom_audit_configuration() owner to atom_auth;
revoke create on schema public from atom_auth;

create trigger audited after insert or delete or update of value on configuration
    for each row execute function atom_audit_configuration();
"""


def upgrade() -> None:
    op.execute(PREFERENCES)
    op.execute(walled("preferences"))
    op.execute(CONFIGURATION)
    op.execute(AUDIT)
