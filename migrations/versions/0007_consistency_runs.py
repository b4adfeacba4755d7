"""Stored runs of check and repair, and what they add up to.

An administrator is the application's role with an owner whose account says so now: a token that
was issued before the account lost its role sees nothing. The totals outlive the swept runs, so
that counters made of them never fall.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
create table consistency_runs (
    id uuid primary key,
    kind text not null check (kind in ('check', 'repair')),
    dry_run boolean not null default false,
    state text not null,
    attempts integer not null default 0,
    requested_by uuid references users on delete set null,
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    drift jsonb,
    report jsonb,
    reason text,
    constraint consistency_runs_state check (state in ('queued', 'running', 'done', 'failed')),
    constraint consistency_runs_dry check (not dry_run or kind = 'repair'),
    constraint consistency_runs_running check (state <> 'running' or started_at is not null),
    constraint consistency_runs_ended check (
        (state in ('done', 'failed')) = (finished_at is not null)),
    constraint consistency_runs_done check (
        state <> 'done' or (report is not null and drift is not null)),
    constraint consistency_runs_failed check (state <> 'failed' or reason is not null)
);
create unique index consistency_runs_queued on consistency_runs (kind, dry_run)
    where state = 'queued';

create table consistency_totals (
    name text not null,
    label text not null,
    total double precision not null default 0,
    primary key (name, label)
);
"""

SECURITY = """
create function atom_administrator() returns boolean
language sql stable
return exists (select from users where id = atom_owner() and role = 'admin');

alter table consistency_runs enable row level security, force row level security;
alter table consistency_totals enable row level security, force row level security;

grant select, insert on consistency_runs to atom_app;
create policy administrators_read on consistency_runs for select to atom_app
    using (atom_administrator());
create policy administrators_ask on consistency_runs for insert to atom_app
    with check (atom_administrator() and requested_by = atom_owner() and state = 'queued');

grant select, insert, update, delete on consistency_runs to atom_worker;
create policy working on consistency_runs to atom_worker using (true);
grant select, insert, update on consistency_totals to atom_worker;
create policy working on consistency_totals to atom_worker using (true);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(SECURITY)
