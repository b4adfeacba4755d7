"""OAuth: grants that owners gave at providers, and authorizations that are under way.

Tokens and verifiers are sealed by the vault before they come here; the checks on their first byte
and their length keep a plaintext out that got here by mistake. Rows of grants leave entries in the
audit trail where their revision rises, that is not where a token is refreshed or sealed anew: of
such uses ``atom_note`` makes the entries. An account of the role ``service`` sees one grant of
another owner, the one that its transaction names.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0023"
down_revision = "0022"

GRANTS = """
create table oauth_grants (
    id uuid primary key,
    owner_id uuid not null references users (id) on delete cascade,
    revision bigint not null default 1,
    provider text not null,
    account text,
    access_token bytea not null,
    refresh_token bytea,
    scopes text[] not null default '{}',
    issued_at timestamptz not null,
    expires_at timestamptz,
    state text not null default 'active',
    reason text,
    last_refreshed_at timestamptz,
    last_used_at timestamptz,
    failed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint oauth_grants_key unique nulls not distinct (owner_id, provider, account),
    constraint oauth_grants_state check (state in ('active', 'reauthorization_required')),
    constraint oauth_grants_reason check (state = 'active' or reason is not null),
    constraint oauth_grants_access_sealed
        check (octet_length(access_token) >= 85 and get_byte(access_token, 0) = 1),
    constraint oauth_grants_refresh_sealed
        check (octet_length(refresh_token) >= 85 and get_byte(refresh_token, 0) = 1)
);
create index oauth_grants_by_owner on oauth_grants (owner_id, id);
"""

FLOWS = """
create table oauth_flows (
    id uuid primary key,
    owner_id uuid not null references users (id) on delete cascade,
    session_id uuid references sessions (id) on delete cascade,
    provider text not null,
    account text,
    state_digest bytea not null constraint oauth_flows_state_key unique,
    browser_digest bytea not null,
    verifier bytea not null,
    redirect_uri text not null,
    scopes text[] not null,
    return_to text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint oauth_flows_digests
        check (octet_length(state_digest) = 32 and octet_length(browser_digest) = 32),
    constraint oauth_flows_sealed
        check (octet_length(verifier) >= 85 and get_byte(verifier, 0) = 1)
);
create index oauth_flows_by_owner on oauth_flows (owner_id);
create index oauth_flows_by_session on oauth_flows (session_id);
create index oauth_flows_by_expiry on oauth_flows (expires_at);
"""

# What a grant is never changes: a ciphertext is bound to its row and owner.
SECURITY = """
revoke update on oauth_grants, oauth_flows from atom_app;
grant update (revision, access_token, refresh_token, scopes, issued_at, expires_at, state, reason,
    last_refreshed_at, last_used_at, failed_at, updated_at) on oauth_grants to atom_app;

create function atom_service() returns boolean
language sql stable
return exists (select from users where id = atom_owner() and role = 'service');

create function atom_named_grant() returns uuid
language sql stable parallel safe
return nullif(current_setting('atom.grant_id', true), '')::uuid;

create policy services_read on oauth_grants for select to atom_app
    using (id = atom_named_grant() and (select atom_service()));
create policy services_refresh on oauth_grants for update to atom_app
    using (id = atom_named_grant() and (select atom_service()));

grant select, delete on oauth_flows to atom_auth;
create policy finishing on oauth_flows to atom_auth using (true);
grant select (expires_at), delete on oauth_flows to atom_worker;
create policy sweeping on oauth_flows to atom_worker using (true);
"""

NOTES = """
alter table audit_entries drop constraint audit_entries_action, add constraint audit_entries_action
    check (action in ('create', 'change', 'remove', 'authorize', 'finish', 'use', 'refresh',
        'fail', 'refuse', 'revoke'));

create function atom_note(deed text, about text, item uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if deed in ('create', 'change', 'remove') then
        raise check_violation using message = 'writes of rows leave entries of their own';
    end if;
    insert into audit_entries (
        user_id, session_id, request_id, remote_address, action, resource, item_id
    ) values (
        atom_owner(),
        nullif(current_setting('atom.session_id', true), '')::uuid,
        nullif(current_setting('atom.request_id', true), ''),
        nullif(current_setting('atom.remote_address', true), ''),
        deed, about, item
    );
end $$;
revoke execute on function atom_note(text, text, uuid) from public;
grant execute on function atom_note(text, text, uuid) to atom_app;
grant create on schema public to atom_auth;
alter function atom_note(text, text, uuid) owner to atom_auth;
revoke create on schema public from atom_auth;
"""


def upgrade() -> None:
    op.execute(GRANTS)
    op.execute(walled("oauth_grants", updates="update of revision"))
    op.execute(FLOWS)
    op.execute(walled("oauth_flows"))
    op.execute(SECURITY)
    op.execute(NOTES)
