"""One table for what all searchable things have in common; the rest stands beside it, by kind.

``items`` is what search, check and repair read, whatever the kind. A table of one kind adds that
kind's own columns under the same identifier and the same owner, which a foreign key holds together.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

ITEMS = """
alter table documents rename to items;
alter table items add column kind text not null default 'document';
alter table items alter column kind drop default;
alter table items add column happens_at timestamptz;
alter table items drop constraint documents_external_id_key;
alter table items
    add constraint items_external_id_key unique (owner_id, kind, external_id),
    add constraint items_owner_key unique (id, owner_id);
alter table items rename constraint documents_pkey to items_pkey;
alter table items rename constraint documents_owner_id_fkey to items_owner_id_fkey;
alter table items
    rename constraint documents_content_hash_check to items_content_hash_check;
alter index documents_search rename to items_search;
drop index documents_by_owner;
create index items_by_owner on items (owner_id, kind, id);
create index items_by_time on items (owner_id, happens_at) where happens_at is not null;
"""

DOCUMENTS = """
create table documents (
    id uuid primary key,
    owner_id uuid not null,
    content_type text not null,
    byte_size bigint not null,
    constraint documents_item_fkey
        foreign key (id, owner_id) references items (id, owner_id) on delete cascade
);
insert into documents select id, owner_id, content_type, byte_size from items;
alter table items drop column content_type, drop column byte_size;

alter table documents enable row level security, force row level security;
grant select, insert, update, delete on documents to atom_app;
create policy own_rows on documents to atom_app using (owner_id = atom_owner());
"""

# As ``atom_find_documents`` of migration 0003, which says why; a time is that of creation, or the
# item's own: when a task is due, a message was sent, an event begins.
FIND = """
drop function atom_find_documents;
create function atom_find_items(
    question text, of_kinds text[], with_tags text[], with_metadata jsonb, from_source text,
    created_from timestamptz, created_until timestamptz,
    happens_from timestamptz, happens_until timestamptz, among uuid[],
    page_limit integer, page_offset integer
) returns table (id uuid, score real)
language plpgsql stable security definer rows 20
set search_path = public, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    words tsquery := regexp_replace(
        plainto_tsquery('simple', question)::text, ' (&|<->|<[0-9]+>) ', ' | ', 'g')::tsquery;
begin
    return query
    select i.id, coalesce(ts_rank(i.search, words, 33), 0) as rank
    from items i
    where i.owner_id = atom_owner()
        and (words is null or i.search @@ words)
        and (of_kinds is null or i.kind = any(of_kinds))
        and (with_tags is null or i.tags @> with_tags)
        and (with_metadata is null or i.metadata @> with_metadata)
        and (from_source is null or i.source = from_source)
        and (created_from is null or i.created_at >= created_from)
        and (created_until is null or i.created_at < created_until)
        and (happens_from is null or i.happens_at >= happens_from)
        and (happens_until is null or i.happens_at < happens_until)
        and (among is null or i.id = any(among))
    order by rank desc, i.id desc
    limit page_limit offset page_offset;
end $$;
revoke execute on function atom_find_items from public;
grant execute on function atom_find_items to atom_app;
grant create on schema public to atom_worker;
alter function atom_find_items owner to atom_worker;
revoke create on schema public from atom_worker;
"""


def upgrade() -> None:
    op.execute(ITEMS)
    op.execute(DOCUMENTS)
    op.execute(FIND)
