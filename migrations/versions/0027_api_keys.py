"""API keys, and sessions that can be listed, seen to expire and removed for good.

``atom_refusal`` replaces ``atom_session_live``: it also knows API keys, and notices that an account
has lost the role in whose name somebody asks. Audit entries name the API key that acted by the
default of their new column, so that no function that makes entries has to know of keys.
"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"

API_KEYS = """
create table api_keys (
    id uuid primary key,
    owner_id uuid not null references users on delete cascade,
    revision bigint not null default 1,
    name text not null,
    scopes text[] not null,
    digest bytea not null constraint api_keys_digest check (octet_length(digest) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz
);
create index api_keys_by_owner on api_keys (owner_id, id);

alter table api_keys enable row level security, force row level security;
grant select (id, owner_id, name, scopes, created_at, expires_at, last_used_at), insert, delete
    on api_keys to atom_app;
grant select, update (last_used_at) on api_keys to atom_auth;
create policy own_rows on api_keys to atom_app using (owner_id = atom_owner());
create policy signing_in on api_keys to atom_auth using (true);

create trigger audited after insert or delete on api_keys
    for each row execute function atom_audit();
"""

# The owner of the tables may be bound by their policies and would then see no row to complete.
SESSIONS = """
alter table sessions
    add column address text,
    add column refreshed_at timestamptz not null default now(),
    add column expires_at timestamptz;

alter table sessions no force row level security;
alter table refresh_tokens no force row level security;
update sessions set refreshed_at = last.created_at, expires_at = last.expires_at from (
    select session_id, max(created_at) as created_at, max(expires_at) as expires_at
    from refresh_tokens group by session_id
) last where id = last.session_id;
alter table sessions force row level security;
alter table refresh_tokens force row level security;

create index sessions_by_expiry on sessions (expires_at);
create index sessions_ended on sessions (revoked_at) where revoked_at is not null;

grant update (agent, address, refreshed_at, expires_at) on sessions to atom_auth;
grant select, update (revoked_at) on sessions to atom_app;
create policy own_sessions on sessions to atom_app using (user_id = atom_owner());
grant select (revoked_at, expires_at), delete on sessions to atom_worker;
create policy sweeping on sessions to atom_worker using (true);
"""

# Null where nothing speaks against it. Without session and key an operator acts for the account.
REFUSAL = """
create function atom_refusal(session uuid, key uuid, claimed text, owner uuid) returns text
language sql stable security definer set search_path = public, pg_temp
return case when session is null and key is null then null else coalesce(
    (
        select case when role = claimed then '' else 'role_changed' end
        from public.users
        where id = owner and (
            exists (
                select from public.sessions
                where id = session and user_id = owner and revoked_at is null
            )
            or exists (
                select from public.api_keys
                where id = key and owner_id = owner and (expires_at is null or expires_at > now())
            )
        )
    ),
    case when key is null then 'session_ended' else 'invalid_api_key' end
) end;
grant create on schema public to atom_auth;
alter function atom_refusal(uuid, uuid, text, uuid) owner to atom_auth;
revoke create on schema public from atom_auth;
drop function atom_session_live(uuid, uuid);
"""

AUDIT = """
alter table audit_entries add column api_key_id uuid
    default (nullif(current_setting('atom.api_key_id', true), ''))::uuid
"""


def upgrade() -> None:
    op.execute(API_KEYS)
    op.execute(SESSIONS)
    op.execute(REFUSAL)
    op.execute(AUDIT)
