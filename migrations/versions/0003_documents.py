"""Documents, and the one function that finds them.

Row-level security is a wall around an index, too: PostgreSQL evaluates ``@@`` and ``@>`` only
after the policy, so a GIN index is of no use to ``atom_app``. ``atom_find_documents`` therefore
runs as ``atom_worker``, which may read every document, and takes the owner from the setting that
the policies read. Whoever calls it sees only identifiers of that owner's documents, and fetches
their rows under its own policy.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

# A tsvector holds less than 1 MB. Of a text with too many different words, the beginning that
# fits is indexed; the rest is stored all the same, and found by the vector store.
SEARCH_VECTOR = """
create function atom_search_vector(title text, body text) returns tsvector
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    heading tsvector := setweight(to_tsvector('simple', title), 'A');
    size integer := length(body);
begin
    loop
        begin
            return heading || setweight(to_tsvector('simple', left(body, size)), 'B');
        exception when program_limit_exceeded then
            size := size / 2;
        end;
    end loop;
end $$
"""

TABLE = """
create table documents (
    id uuid primary key,
    owner_id uuid not null references users,
    revision bigint not null default 1,
    content_revision bigint not null default 1,
    content_hash bytea not null check (octet_length(content_hash) = 32),
    title text not null,
    text text not null,
    content_type text not null,
    byte_size bigint not null,
    source text,
    external_id text,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    search tsvector generated always as (atom_search_vector(title, text)) stored,
    constraint documents_external_id_key unique (owner_id, external_id)
);
create index documents_by_owner on documents (owner_id, id);
create extension if not exists btree_gin;
create index documents_search on documents
    using gin (owner_id, search, tags, metadata jsonb_path_ops);
"""

SECURITY = """
alter table documents enable row level security, force row level security;
grant select, insert, update, delete on documents to atom_app;
create policy own_rows on documents to atom_app using (owner_id = atom_owner());
grant select on documents to atom_worker;
create policy reading on documents for select to atom_worker using (true);
"""

# Every condition that is null is absent: the plan is made anew for each call, so that an absent
# condition costs nothing. The words of the question are joined by "or"; normalisation 33 divides
# the rank by 1 + log(length) and scales it into 0..1. Hyphenated words arrive as phrases ("<->").
FIND = """
create function atom_find_documents(
    question text, with_tags text[], with_metadata jsonb, from_source text,
    created_from timestamptz, created_until timestamptz, among uuid[],
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
    select d.id, coalesce(ts_rank(d.search, words, 33), 0) as rank
    from documents d
    where d.owner_id = atom_owner()
        and (words is null or d.search @@ words)
        and (with_tags is null or d.tags @> with_tags)
        and (with_metadata is null or d.metadata @> with_metadata)
        and (from_source is null or d.source = from_source)
        and (created_from is null or d.created_at >= created_from)
        and (created_until is null or d.created_at < created_until)
        and (among is null or d.id = any(among))
    order by rank desc, d.id desc
    limit page_limit offset page_offset;
end $$;
revoke execute on function atom_find_documents from public;
grant execute on function atom_find_documents to atom_app;
grant create on schema public to atom_worker;
alter function atom_find_documents owner to atom_worker;
revoke create on schema public from atom_worker;
"""


def upgrade() -> None:
    op.execute(SEARCH_VECTOR)
    op.execute(TABLE)
    op.execute(SECURITY)
    op.execute(FIND)
