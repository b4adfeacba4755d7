"""Tasks and memories: what they have besides what every item has."""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0012"
down_revision = "0011"

TASKS = """
create table tasks (
    id uuid primary key,
    owner_id uuid not null,
    notes text,
    status text not null,
    priority bigint not null,
    start_at timestamptz,
    due_at timestamptz,
    completed_at timestamptz,
    recurrence text,
    time_zone text not null,
    followed_by uuid,
    parent_id uuid,
    position bigint not null,
    constraint tasks_item_fkey
        foreign key (id, owner_id) references items (id, owner_id) on delete cascade,
    constraint tasks_completion check ((status = 'done') = (completed_at is not null))
);
create index tasks_by_due_at on tasks (owner_id, due_at);
create index tasks_by_parent_id on tasks (owner_id, parent_id);
create index tasks_by_status on tasks (owner_id, status);
"""

MEMORIES = """
create table memories (
    id uuid primary key,
    owner_id uuid not null,
    topic text,
    source_item_id uuid,
    confidence double precision,
    valid_from timestamptz,
    valid_to timestamptz,
    superseded_by uuid,
    constraint memories_item_fkey
        foreign key (id, owner_id) references items (id, owner_id) on delete cascade
);
create index memories_by_source_item_id on memories (owner_id, source_item_id);
create index memories_by_superseded_by on memories (owner_id, superseded_by);
create index memories_by_topic on memories (owner_id, topic);
create index memories_by_valid_from on memories (owner_id, valid_from);
"""


def upgrade() -> None:
    op.execute(TASKS)
    op.execute(MEMORIES)
    for table in ("tasks", "memories"):
        op.execute(walled(table))
