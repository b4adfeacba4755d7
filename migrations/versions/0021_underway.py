"""What is underway at a time is told by an index alone.

Of much that began before, and much that is over later, PostgreSQL cannot know that little is both.
An index that holds the identifiers, too, is read without the rows of all that is only one of them.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("""
        drop index items_by_end;
        create index items_by_end on items (owner_id, over_at, happens_at, id)
            where over_at is not null;
    """)
