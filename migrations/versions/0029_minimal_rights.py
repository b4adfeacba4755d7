"""Rights that nobody needs are taken back, and ``atom_reader`` gets those of a dashboard.

Functions with rights of their own belong to ``atom_definer``, which no login of the service can
become: before, whoever had the service's login could drop them, and the triggers with them.

Functions are executed by whom they are granted to, also those that later migrations make;
``atom_refusal`` alone is everybody's, because a login asks it before it has a role. Nobody
makes tables, not even temporary ones. The reader sees of whom, of what kind, when and in which
state, of every owner; no content, no address of a person, no secret, sealed or hashed.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.roles import ensure_roles

revision = "0029"
down_revision = "0028"

NARROWER = """
revoke create on schema public from public;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
alter default privileges revoke execute on functions from public;
revoke execute on function
    atom_owner(), atom_administrator(), atom_service(), atom_named_grant(),
    atom_search_vector(text, text), atom_messages_come(), atom_messages_go()
    from public;
grant execute on function atom_owner() to atom_app, atom_auth, atom_worker;
grant execute on function
    atom_administrator(), atom_service(), atom_named_grant(), atom_search_vector(text, text)
    to atom_app;

revoke update on credentials from atom_auth;
grant update (password_hash, updated_at) on credentials to atom_auth;
"""

# What the functions need, and no more; the roles that owned them lose what they had for that.
DEFINER = """
revoke insert on audit_entries from atom_auth;
drop policy adding on audit_entries;
grant insert on audit_entries to atom_definer;
create policy adding on audit_entries for insert to atom_definer with check (true);

grant select (id, role) on users to atom_definer;
create policy existing on users for select to atom_definer using (true);
grant select (id, user_id, revoked_at) on sessions to atom_definer;
create policy living on sessions for select to atom_definer using (true);
grant select (id, owner_id, expires_at) on api_keys to atom_definer;
create policy living on api_keys for select to atom_definer using (true);
grant select on items to atom_definer;
create policy finding on items for select to atom_definer using (true);

revoke select (id, owner_id, balance, revision), update (balance, revision, updated_at)
    on accounts from atom_worker;
drop policy balances on accounts;
grant select (id, owner_id, balance, revision), update (balance, revision, updated_at)
    on accounts to atom_definer;
create policy balances on accounts to atom_definer using (owner_id = atom_owner());

grant execute on function atom_owner() to atom_definer;
revoke execute on function atom_chosen_items from atom_worker;
grant execute on function atom_chosen_items to atom_definer;

alter function atom_audit_password() security definer;
grant create on schema public to atom_definer;
alter function atom_refusal owner to atom_definer;
alter function atom_find_items owner to atom_definer;
alter function atom_count_items owner to atom_definer;
alter function atom_audit owner to atom_definer;
alter function atom_audit_configuration owner to atom_definer;
alter function atom_audit_password owner to atom_definer;
alter function atom_note owner to atom_definer;
alter function atom_move_balances owner to atom_definer;
revoke create on schema public from atom_definer;
"""

READER = {
    "users": "id, role, created_at",
    "sessions": "id, user_id, created_at, refreshed_at, expires_at, revoked_at",
    "api_keys": "id, owner_id, scopes, created_at, expires_at, last_used_at",
    "items": "id, owner_id, kind, revision, content_revision, created_at, updated_at",
    "accounts": "id, owner_id, revision, created_at, updated_at",
    "transactions": "id, owner_id, revision, created_at, updated_at",
    "integrations": "id, owner_id, revision, state, last_sync_at, created_at, updated_at",
    "preferences": "id, owner_id, revision, created_at, updated_at",
    "oauth_grants": "id, owner_id, provider, state, expires_at, last_used_at, created_at",
    "erasures": "owner_id, items_total, requested_at, completed_at",
    "index_entries": None,
    "consistency_runs": None,
    "consistency_totals": None,
    "vector_store": None,
    "audit_entries": None,
    "audit_seals": None,
    "audit_chain": None,
}


def upgrade() -> None:
    ensure_roles(op.get_bind())
    op.execute(NARROWER)
    op.execute(DEFINER)
    for table, columns in READER.items():
        chosen = f" ({columns})" if columns else ""
        op.execute(f"grant select{chosen} on {table} to atom_reader")
        op.execute(f"create policy reading_all on {table} for select to atom_reader using (true)")
