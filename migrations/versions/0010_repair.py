"""What a repair needs: an entry for an item that lost its own, and fences beyond those in LanceDB.

A parked entry without a readable reason would wait in silence, so the table refuses it.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        grant insert on index_entries to atom_worker;
        grant select, update on sequence lease_fence to atom_worker;
        alter table index_entries
            drop constraint index_entries_parked,
            add constraint index_entries_parked
                check (state <> 'parked' or coalesce(reason, '') <> '');
    """)
