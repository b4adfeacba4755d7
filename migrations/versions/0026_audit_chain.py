"""The audit trail as a chain: each entry is sealed by a digest that holds all before it.

``atom_auditor`` alone adds seals, in the order of ``position``, after the entries have been
committed; whoever writes entries waits for nothing. ``audit_chain`` holds where the chain begins,
once its beginning was removed, and up to which ``id`` no unsealed entry can turn up any more.
Nobody changes an entry or a seal, not even the owner of the tables; only the owner removes some.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.roles import admit_members, ensure_roles

revision = "0026"
down_revision = "0025"

TABLES = """
create table audit_seals (
    position bigint primary key,
    entry_id bigint not null constraint audit_seals_entry_key unique,
    digest bytea not null constraint audit_seals_digest check (octet_length(digest) = 32)
);

create table audit_chain (
    single boolean primary key default true,
    pruned_position bigint not null default 0,
    pruned_digest bytea,
    settled_id bigint not null default 0,
    watched_id bigint not null default 0,
    watched_until bigint not null default 0,
    constraint audit_chain_single check (single),
    constraint audit_chain_pruned check ((pruned_position = 0) = (pruned_digest is null))
);
insert into audit_chain default values;
"""

# The owner has all rights on its tables, but row-level security is forced on it, too.
SECURITY = """
alter table audit_seals enable row level security, force row level security;
alter table audit_chain enable row level security, force row level security;

grant select on audit_entries, audit_seals, audit_chain to atom_auditor;
grant insert on audit_seals to atom_auditor;
grant update (settled_id, watched_id, watched_until) on audit_chain to atom_auditor;
create policy auditing on audit_entries for select to atom_auditor using (true);
create policy auditing on audit_seals to atom_auditor using (true);
create policy auditing on audit_chain to atom_auditor using (true);

create policy pruning on audit_entries to current_user using (true);
create policy pruning on audit_seals to current_user using (true);
create policy pruning on audit_chain to current_user using (true);
"""

# A number is drawn when the row is made. Its transaction must be known before that: see
# ``relational/audit_seals.py``, which tells by it when no lower number can come any more.
TRIGGERS = """
create function atom_begin_audit_entry() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_current_xact_id();
    return null;
end $$;
create function atom_keep_audit() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end $$;
revoke execute on function atom_begin_audit_entry(), atom_keep_audit() from public;

create trigger begun before insert on audit_entries
    for each statement execute function atom_begin_audit_entry();
create trigger kept before update or truncate on audit_entries
    for each statement execute function atom_keep_audit();
create trigger kept before update or truncate on audit_seals
    for each statement execute function atom_keep_audit();
"""


def upgrade() -> None:
    ensure_roles(op.get_bind())
    admit_members(op.get_bind(), "atom_auditor")
    op.execute(TABLES)
    op.execute(SECURITY)
    op.execute(TRIGGERS)
