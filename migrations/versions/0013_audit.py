"""The audit trail: who wrote what and when, in the transaction of the write itself.

Triggers make the entries, so that no code path can forget one; ``atom_audit`` runs as
``atom_auth``, the only role that may insert here, and nobody may update or delete. Entries have no
foreign key: they outlive what they speak of. The growing ``id`` is the order in which a chain of
hashes could be laid over them.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from atom_backend.relational.walls import audited

revision = "0013"
down_revision = "0012"

TABLE = """
create table audit_entries (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    user_id uuid,
    session_id uuid,
    request_id text,
    remote_address text,
    action text not null,
    resource text not null,
    item_id uuid not null,
    revision bigint,
    constraint audit_entries_action check (action in ('create', 'change', 'remove'))
);
create index audit_entries_by_user on audit_entries (user_id, id);
create index audit_entries_by_item on audit_entries (item_id, id);
create index audit_entries_by_time on audit_entries using brin (at);
"""

SECURITY = """
alter table audit_entries enable row level security, force row level security;
grant insert on audit_entries to atom_auth;
create policy adding on audit_entries for insert to atom_auth with check (true);
grant select on audit_entries to atom_app;
create policy administrators_read on audit_entries for select to atom_app
    using ((select atom_administrator()));
"""

# Rows that go with their account are told by the account's own entry; its row has gone before them.
TRIGGER = """
create function atom_audit() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    written record;
    named text := tg_table_name;
    reached bigint;
begin
    if tg_op = 'DELETE' then written := old; else written := new; end if;
    if tg_table_name <> 'users' then
        if tg_op = 'DELETE' and not exists (select from users where id = written.owner_id) then
            return null;
        end if;
        reached := written.revision;
    end if;
    if tg_table_name = 'items' then named := written.kind; end if;
    insert into audit_entries (
        user_id, session_id, request_id, remote_address, action, resource, item_id, revision
    ) values (
        atom_owner(),
        nullif(current_setting('atom.session_id', true), '')::uuid,
        nullif(current_setting('atom.request_id', true), ''),
        nullif(current_setting('atom.remote_address', true), ''),
        case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'change' else 'remove' end,
        named, written.id, reached
    );
    return null;
end $$;
revoke execute on function atom_audit() from public;
grant create on schema public to atom_auth;
alter function atom_audit() owner to atom_auth;
revoke create on schema public from atom_auth;
"""

ACCOUNTS = """
create trigger audited after insert or delete or update of email, display_name, role on users
    for each row execute function atom_audit()
"""

# ``walled`` sees to the tables that come later.
RECORDS = """
select table_name from information_schema.columns
where table_schema = 'public' and column_name in ('owner_id', 'revision')
    and table_name <> 'index_entries'
group by table_name having count(*) = 2
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(SECURITY)
    op.execute(TRIGGER)
    op.execute(ACCOUNTS)
    for table in op.get_bind().scalars(text(RECORDS)).all():
        op.execute(audited(table))
