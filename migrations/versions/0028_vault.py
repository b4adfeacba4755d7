"""The vault's own: a canary that shows whether a process has the right keys, and rotation.

``atom_vault`` is the only role that sees the canary. Of grants and flows it sees what is sealed
and what that is bound to, and it may write nothing but the sealed columns.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.roles import admit_members, ensure_roles

revision = "0028"
down_revision = "0027"

CANARY = """
create table vault_canary (
    id uuid primary key,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    sealed_at timestamptz not null default now(),
    constraint vault_canary_single check (id = '00000000-0000-0000-0000-000000000001'),
    constraint vault_canary_sealed check (octet_length(sealed) >= 64 and get_byte(sealed, 0) = 1)
);
alter table vault_canary enable row level security, force row level security;
grant select, insert (id, sealed), update (sealed, sealed_at) on vault_canary to atom_vault;
create policy verifying on vault_canary to atom_vault using (true);
"""

ROTATION = """
grant select (id, owner_id, access_token, refresh_token), update (access_token, refresh_token)
    on oauth_grants to atom_vault;
create policy rotating on oauth_grants to atom_vault using (true);
grant select (id, owner_id, verifier), update (verifier) on oauth_flows to atom_vault;
create policy rotating on oauth_flows to atom_vault using (true);

alter table audit_entries drop constraint audit_entries_action, add constraint audit_entries_action
    check (action in ('create', 'change', 'remove', 'authorize', 'finish', 'use', 'refresh',
        'fail', 'refuse', 'revoke', 'rotate', 'retire'));
grant execute on function atom_note(text, text, uuid) to atom_vault;
"""


def upgrade() -> None:
    ensure_roles(op.get_bind())
    admit_members(op.get_bind(), "atom_vault")
    op.execute(CANARY)
    op.execute(ROTATION)
