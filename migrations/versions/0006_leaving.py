"""Leaving: an account can be deleted by its owner, and everything of its own goes with it.

Everything that an account owns refers to ``users`` and is deleted by cascade; a later kind of
resource joins by referring to it in the same way. What was searchable becomes tombstones, found by
owner, whatever its kind.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

LEAVING = """
alter table documents
    drop constraint documents_owner_id_fkey,
    add constraint documents_owner_id_fkey
        foreign key (owner_id) references users on delete cascade;

create index index_entries_by_owner on index_entries (owner_id);

grant delete on users to atom_app;
"""


def upgrade() -> None:
    op.execute(LEAVING)
