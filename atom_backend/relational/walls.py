"""The wall around a table of owners' rows, and the trail of writes to it; for migrations."""

from __future__ import annotations


def walled(table: str, *, updates: str = "update") -> str:
    """SQL: the application sees and writes its owner's rows of the table, and no other.

    Each write leaves an audit entry, unless the table holds parts of items and so has no revision:
    then the write of the item leaves it. ``updates``: as in ``audited``.
    """
    return f"""
        alter table {table} enable row level security, force row level security;
        grant select, insert, update, delete on {table} to atom_app;
        create policy own_rows on {table} to atom_app using (owner_id = atom_owner());
        do $wall$ begin
            if to_regproc('atom_audit') is not null and exists (
                select from pg_attribute
                where attrelid = '{table}'::regclass and attname = 'revision'
            ) then
                {audited(table, updates=updates)};
            end if;
        end $wall$;
    """


def audited(table: str, *, updates: str = "update") -> str:
    """SQL: each write of a row (``id``, ``owner_id``, ``revision``) leaves an audit entry.

    ``updates`` may be ``update of`` a column, where writes of others are no news.
    """
    return f"""
        create trigger audited after insert or {updates} or delete on {table}
            for each row execute function atom_audit()
    """
