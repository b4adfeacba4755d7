"""Accounts and transactions; PostgreSQL itself keeps the balances.

A balance is the sum of the account's transactions: a trigger moves it by what a statement has
changed, and nobody else holds the right to write it. It moves once for each account and statement,
in the order of the accounts' identifiers, so that two statements never wait for each other.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0019"
down_revision = "0018"

ACCOUNTS = """
create table accounts (
    id uuid primary key,
    owner_id uuid not null,
    revision bigint not null default 1,
    name text not null,
    type text not null,
    institution text,
    currency text not null,
    balance numeric(38, 4) not null default 0,
    closed boolean not null,
    source text,
    external_id text,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint accounts_external_id_key unique (owner_id, external_id),
    constraint accounts_owner_key unique (id, owner_id),
    constraint accounts_currency_key unique (id, owner_id, currency)
);
create index accounts_by_owner on accounts (owner_id, id);
create index accounts_by_closed on accounts (owner_id, closed);
create index accounts_by_currency on accounts (owner_id, currency);
create index accounts_by_type on accounts (owner_id, type);
"""

# A transaction repeats the currency of its account, which therefore cannot change any more.
TRANSACTIONS = """
create table transactions (
    id uuid primary key,
    owner_id uuid not null,
    revision bigint not null default 1,
    account_id uuid not null,
    amount numeric(20, 4) not null,
    currency text not null,
    posted_at timestamptz not null,
    category text,
    counterparty text,
    description text,
    transfer_id uuid,
    source text,
    external_id text,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint transactions_external_id_key unique (owner_id, external_id),
    constraint transactions_owner_key unique (id, owner_id),
    constraint transactions_amount_number check (amount <> 'NaN')
);
create index transactions_by_owner on transactions (owner_id, id);
create index transactions_by_account_id on transactions (owner_id, account_id);
create index transactions_by_amount on transactions (owner_id, amount);
create index transactions_by_category on transactions (owner_id, category);
create index transactions_by_counterparty on transactions (owner_id, counterparty);
create index transactions_by_currency on transactions (owner_id, currency);
create index transactions_by_posted_at on transactions (owner_id, posted_at);
create index transactions_by_transfer_id on transactions (owner_id, transfer_id);
"""

KEYS = """
alter table transactions
    add constraint transactions_owner_id_fkey
        foreign key (owner_id) references users on delete cascade,
    add constraint transactions_account_id_fkey
        foreign key (account_id, owner_id, currency)
        references accounts (id, owner_id, currency) on delete cascade;
alter table accounts
    add constraint accounts_owner_id_fkey
        foreign key (owner_id) references users on delete cascade;
"""

# As the worker, which sees and moves balances here and nowhere else: only with an owner bound.
BALANCES = """
create function atom_move_balances() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    moved uuid[];
    differences numeric[];
begin
    if tg_op = 'INSERT' then
        select array_agg(account_id), array_agg(total) into moved, differences
        from (select account_id, sum(amount) as total from added group by account_id) change;
    elsif tg_op = 'DELETE' then
        select array_agg(account_id), array_agg(-total) into moved, differences
        from (select account_id, sum(amount) as total from gone group by account_id) change;
    else
        select array_agg(account_id), array_agg(total) into moved, differences
        from (
            select account_id, sum(amount) as total
            from (
                select account_id, amount from added
                union all
                select account_id, -amount from gone
            ) side
            group by account_id
            having sum(amount) <> 0
        ) change;
    end if;
    perform from accounts where id = any(moved) order by id for no key update;
    update accounts
    set balance = balance + change.total, revision = revision + 1, updated_at = now()
    from unnest(moved, differences) as change (account_id, total)
    where accounts.id = change.account_id and change.total <> 0;
    return null;
end $$;
revoke execute on function atom_move_balances from public;
grant create on schema public to atom_worker;
alter function atom_move_balances owner to atom_worker;
revoke create on schema public from atom_worker;

grant select (id, owner_id, balance, revision), update (balance, revision, updated_at)
    on accounts to atom_worker;
create policy balances on accounts to atom_worker using (owner_id = atom_owner());

create trigger transactions_added after insert on transactions
    referencing new table as added
    for each statement execute function atom_move_balances();
create trigger transactions_changed after update on transactions
    referencing old table as gone new table as added
    for each statement execute function atom_move_balances();
create trigger transactions_removed after delete on transactions
    referencing old table as gone
    for each statement execute function atom_move_balances();
"""

# All columns but the balance.
RIGHTS = """
revoke insert, update on accounts from atom_app;
grant
    insert (
        id, owner_id, name, type, institution, currency, closed,
        source, external_id, tags, metadata
    ),
    update (
        revision, name, type, institution, currency, closed,
        source, external_id, tags, metadata, updated_at
    )
    on accounts to atom_app;
"""


def upgrade() -> None:
    op.execute(ACCOUNTS)
    op.execute(TRANSACTIONS)
    op.execute(KEYS)
    for table in ("accounts", "transactions"):
        op.execute(walled(table))
    op.execute(BALANCES)
    op.execute(RIGHTS)
