"""Failed attempts to log in and the like, and changes of passwords in the audit trail.

No owner: the keys are made of addresses that may have no account, and tell nothing of them.
"""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"

TABLE = """
create table failed_attempts (
    key bytea primary key,
    failures integer not null default 0,
    failed_at timestamptz not null default now(),
    succeeded_at timestamptz,
    constraint failed_attempts_key check (octet_length(key) = 32)
);
create index failed_attempts_by_age on failed_attempts (failed_at);
"""

SECURITY = """
alter table failed_attempts enable row level security, force row level security;
grant select, insert, update (failures, failed_at, succeeded_at) on failed_attempts to atom_auth;
create policy signing_in on failed_attempts to atom_auth using (true);
grant select (failed_at, succeeded_at), delete on failed_attempts to atom_worker;
create policy sweeping on failed_attempts to atom_worker using (true);
"""

# Credentials are written by atom_auth alone, which may add entries.
AUDIT = """
create function atom_audit_password() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    insert into audit_entries (
        user_id, session_id, request_id, remote_address, action, resource, item_id
    ) values (
        atom_owner(),
        nullif(current_setting('atom.session_id', true), '')::uuid,
        nullif(current_setting('atom.request_id', true), ''),
        nullif(current_setting('atom.remote_address', true), ''),
        'change', 'passwords', new.user_id
    );
    return null;
end $$;
revoke execute on function atom_audit_password() from public;
create trigger audited after update of password_hash on credentials
    for each row execute function atom_audit_password();
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SECURITY)
    op.execute(AUDIT)
