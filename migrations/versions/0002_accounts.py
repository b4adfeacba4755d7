"""Accounts: users, credentials, sessions and refresh tokens.

``atom_session_live`` lets every login ask, before it becomes the owner's role, whether a session
still stands; it runs as ``atom_auth``, the only role that sees sessions.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
create table users (
    id uuid primary key,
    email text not null,
    normalized_email text not null constraint users_email_key unique,
    display_name text,
    role text not null check (role in ('user', 'service', 'admin')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table credentials (
    user_id uuid primary key references users on delete cascade,
    password_hash text not null,
    updated_at timestamptz not null default now()
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    agent text,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index sessions_by_user on sessions (user_id);

create table refresh_tokens (
    digest bytea primary key check (octet_length(digest) = 32),
    session_id uuid not null references sessions on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create index refresh_tokens_by_expiry on refresh_tokens (expires_at);
"""

SECURITY = """
alter table users enable row level security, force row level security;
alter table credentials enable row level security, force row level security;
alter table sessions enable row level security, force row level security;
alter table refresh_tokens enable row level security, force row level security;

grant select, insert, update (role, updated_at) on users to atom_auth;
grant select, insert, update on credentials to atom_auth;
grant select, insert, update (revoked_at) on sessions to atom_auth;
grant select, insert, update (used_at) on refresh_tokens to atom_auth;
create policy signing_in on users to atom_auth using (true);
create policy signing_in on credentials to atom_auth using (true);
create policy signing_in on sessions to atom_auth using (true);
create policy signing_in on refresh_tokens to atom_auth using (true);

grant select, update (display_name, updated_at) on users to atom_app;
create policy own_account on users to atom_app using (id = atom_owner());

grant select (expires_at), delete on refresh_tokens to atom_worker;
create policy sweeping on refresh_tokens to atom_worker using (true);
"""

SESSION_LIVE = """
create function atom_session_live(session uuid, owner uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp
return session is null or exists (
    select from public.sessions
    where id = session and user_id = owner and revoked_at is null
);
grant create on schema public to atom_auth;
alter function atom_session_live(uuid, uuid) owner to atom_auth;
revoke create on schema public from atom_auth;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(SECURITY)
    op.execute(SESSION_LIVE)
