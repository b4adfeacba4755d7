"""Roles: one for each kind of work, and the setting that says whose rows are meant."""

from __future__ import annotations

from alembic import op

from atom_backend.relational.roles import ensure_roles

revision = "0001"
down_revision = None


def upgrade() -> None:
    ensure_roles(op.get_bind())
    op.execute("""
        create function atom_owner() returns uuid
        language sql stable parallel safe
        return nullif(current_setting('atom.owner_id', true), '')::uuid
    """)
