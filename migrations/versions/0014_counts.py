"""Counting what a search chooses from, by the conditions that finding it has.

The conditions now stand in one function in SQL, which PostgreSQL puts in the place of its call
(that is why it is neither strict nor a security definer, and sets nothing): finding and counting
cannot disagree, and use the same indexes as if each had them written out.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

# Every condition that is null is absent.
CHOOSE = """
create function atom_chosen_items(
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
        and (happens_from is null or i.happens_at >= happens_from)
        and (happens_until is null or i.happens_at < happens_until)
$$;
revoke execute on function atom_chosen_items from public;
grant execute on function atom_chosen_items to atom_worker;
"""

# Signature and meaning as in migration 0011.
FIND = """
create or replace function atom_find_items(
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
    from atom_chosen_items(
        of_kinds, with_tags, with_metadata, from_source,
        created_from, created_until, happens_from, happens_until
    ) i
    where (words is null or i.search @@ words) and (among is null or i.id = any(among))
    order by rank desc, i.id desc
    limit page_limit offset page_offset;
end $$;
"""

# An item without a time of its own counts in the month of its creation; months are UTC's.
COUNT = """
create function atom_count_items(
    of_kinds text[], with_tags text[], with_metadata jsonb, from_source text,
    created_from timestamptz, created_until timestamptz,
    happens_from timestamptz, happens_until timestamptz,
    facets text[], most integer
) returns table (facet text, value text, number bigint, further bigint)
language plpgsql stable security definer rows 200
set search_path = public, pg_temp
set plan_cache_mode = force_custom_plan as $$
begin
    return query
    with chosen as (
        select i.kind, i.tags, coalesce(i.happens_at, i.created_at) as moment
        from atom_chosen_items(
            of_kinds, with_tags, with_metadata, from_source,
            created_from, created_until, happens_from, happens_until
        ) i
    ),
    counted as (
        select 'kind' as facet, c.kind as value, count(*) as number
        from chosen c where 'kind' = any(facets) group by c.kind
        union all
        select 'tag', t.tag, count(*)
        from chosen c cross join unnest(c.tags) as t (tag) where 'tag' = any(facets) group by t.tag
        union all
        select 'month', to_char(m.month at time zone 'UTC', 'YYYY-MM'), m.number
        from (
            select date_trunc('month', c.moment, 'UTC') as month, count(*) as number
            from chosen c where 'month' = any(facets) group by 1
        ) m
    ),
    placed as (
        select c.*, count(*) over (partition by c.facet) - most as beyond, row_number() over (
            partition by c.facet
            order by
                case when c.facet = 'month' then c.value end desc,
                c.number desc,
                c.value collate "C"
        ) as place
        from counted c
    )
    select p.facet, p.value, p.number, greatest(p.beyond, 0)
    from placed p where p.place <= most order by p.facet, p.place;
end $$;
revoke execute on function atom_count_items from public;
grant execute on function atom_count_items to atom_app;
grant create on schema public to atom_worker;
alter function atom_count_items owner to atom_worker;
revoke create on schema public from atom_worker;
"""


def upgrade() -> None:
    op.execute(CHOOSE)
    op.execute(FIND)
    op.execute(COUNT)
