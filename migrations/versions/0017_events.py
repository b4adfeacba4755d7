"""Events of calendars, and when an item that lasts or takes place again is over."""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0017"
down_revision = "0016"

ITEMS = """
alter table items
    add column over_at timestamptz,
    add constraint items_over_at_check check (over_at > happens_at);
create index items_by_end on items (owner_id, over_at, happens_at)
    where over_at is not null;
"""

EVENTS = """
create table events (
    id uuid primary key,
    owner_id uuid not null,
    description text not null,
    location text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    all_day boolean not null,
    time_zone text not null,
    floating boolean not null,
    recurrence text,
    exceptions jsonb not null,
    added jsonb not null,
    overrides jsonb not null,
    series boolean not null,
    attendees jsonb not null,
    status text not null,
    transparent boolean not null,
    calendar text,
    uid text,
    constraint events_item_fkey
        foreign key (id, owner_id) references items (id, owner_id) on delete cascade,
    constraint events_order check (starts_at <= ends_at)
);
create index events_by_calendar on events (owner_id, calendar);
create index events_by_series on events (owner_id, series);
create index events_by_starts_at on events (owner_id, starts_at);
create index events_by_status on events (owner_id, status);
create index events_by_uid on events (owner_id, uid);
"""

# As in migration 0014, but that what is not over yet counts as happening later.
CHOOSE = """
create or replace function atom_chosen_items(
    of_kinds text[], with_tags text[], with_metadata jsonb, from_source text,
    created_from timestamptz, created_until timestamptz,
    happens_from timestamptz, happens_until timestamptz
) returns setof items language sql stable as $$
    select i.*
    from items i
    where i.owner_id = atom_owner()
        and (of_kinds is null or i.kind = any(of_kinds))
        and (with_tags is null or i.tags @> with_tags)
        and (with_metadata is null or i.metadata @> with_metadata)
        and (from_source is null or i.source = from_source)
        and (created_from is null or i.created_at >= created_from)
        and (created_until is null or i.created_at < created_until)
        and (
            happens_from is null
            or i.over_at > happens_from
            or (i.over_at is null and i.happens_at >= happens_from)
        )
        and (happens_until is null or i.happens_at < happens_until)
$$;
"""


def upgrade() -> None:
    op.execute(ITEMS)
    op.execute(CHOOSE)
    op.execute(EVENTS)
    op.execute(walled("events"))
