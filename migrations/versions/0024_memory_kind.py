"""What sort of fact a memory is, is its ``kind``, as with messages."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute("""
        alter table memories rename column topic to kind;
        alter index memories_by_topic rename to memories_by_kind;
    """)
