"""The wall around a table of owners' rows, for migrations."""

from __future__ import annotations


def walled(table: str) -> str:
    """SQL: the application sees and writes its owner's rows of the table, and no other."""
    return f"""
        alter table {table} enable row level security, force row level security;
        grant select, insert, update, delete on {table} to atom_app;
        create policy own_rows on {table} to atom_app using (owner_id = atom_owner());
    """
