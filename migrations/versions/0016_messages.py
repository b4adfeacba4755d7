"""Messages, the ids that tie them together, and the conversations that they are in.

A conversation's numbers are kept by triggers, so that they are those of its messages whoever
writes. What a statement adds is counted before what it takes away: a conversation that only
changes is never gone in between.
"""

from __future__ import annotations

from alembic import op

from atom_backend.relational.walls import walled

revision = "0016"
down_revision = "0015"

MESSAGES = """
create table messages (
    id uuid primary key,
    owner_id uuid not null,
    kind text not null,
    conversation_id uuid,
    sender jsonb,
    recipients jsonb not null,
    subject text,
    body text,
    preview text not null,
    sent_at timestamptz,
    read_at timestamptz,
    direction text not null,
    message_id text,
    in_reply_to text,
    "references" jsonb not null,
    headers jsonb not null,
    attachments jsonb not null,
    doubts jsonb not null,
    sender_address text,
    constraint messages_item_fkey
        foreign key (id, owner_id) references items (id, owner_id) on delete cascade,
    constraint messages_placed check (conversation_id is not null and message_id is not null)
);
create index messages_by_conversation_id on messages (owner_id, conversation_id);
create index messages_by_direction on messages (owner_id, direction);
create index messages_by_kind on messages (owner_id, kind);
create index messages_by_message_id on messages (owner_id, message_id);
create index messages_by_sender_address on messages (owner_id, sender_address);
create index messages_by_sent_at on messages (owner_id, sent_at);
create index messages_in_order
    on messages (owner_id, conversation_id, sent_at desc nulls last, id desc);
"""

# ``named`` is what a conversation that begins with this message is called: that of one which was
# merged into another leads to the other.
MESSAGE_IDS = """
create table message_ids (
    owner_id uuid not null references users (id) on delete cascade,
    message_id text collate "C" not null,
    named uuid not null,
    conversation_id uuid not null,
    head boolean not null,
    child boolean not null,
    primary key (owner_id, message_id)
);
create unique index message_ids_by_name on message_ids (owner_id, named);
create index message_ids_by_root
    on message_ids (owner_id, conversation_id, child, head desc, message_id);
"""

CONVERSATIONS = """
create table conversations (
    owner_id uuid not null references users (id) on delete cascade,
    id uuid not null,
    messages bigint not null,
    unread bigint not null,
    last_at timestamptz not null,
    primary key (owner_id, id),
    constraint conversations_counted check (messages >= unread and unread >= 0)
);
create index conversations_by_last on conversations (owner_id, last_at, id);
"""

COUNTING = """
create function atom_messages_come() returns trigger language plpgsql as $$
begin
    insert into conversations as known (owner_id, id, messages, unread, last_at)
    select owner_id, conversation_id, count(*),
        count(*) filter (where read_at is null and direction <> 'out'),
        coalesce(max(sent_at), '-infinity')
    from come group by owner_id, conversation_id
    on conflict (owner_id, id) do update set
        messages = known.messages + excluded.messages,
        unread = known.unread + excluded.unread,
        last_at = greatest(known.last_at, excluded.last_at);
    return null;
end $$;

create function atom_messages_go() returns trigger language plpgsql as $$
begin
    -- Where the account goes, its conversations go with it by themselves.
    if not exists (select from users where id in (select owner_id from gone)) then
        return null;
    end if;
    update conversations known set
        messages = known.messages - lost.messages,
        unread = known.unread - lost.unread,
        last_at = coalesce((
            select max(sent_at) from messages m
            where m.owner_id = known.owner_id and m.conversation_id = known.id
        ), '-infinity')
    from (
        select owner_id, conversation_id, count(*) as messages,
            count(*) filter (where read_at is null and direction <> 'out') as unread
        from gone group by owner_id, conversation_id
    ) lost
    where known.owner_id = lost.owner_id and known.id = lost.conversation_id;

    with empty as (
        delete from conversations known using gone
        where known.owner_id = gone.owner_id and known.id = gone.conversation_id
            and known.messages = 0
        returning known.owner_id, known.id
    )
    delete from message_ids using empty
    where message_ids.owner_id = empty.owner_id and message_ids.conversation_id = empty.id;
    return null;
end $$;

create trigger messages_come after insert on messages
    referencing new table as come for each statement execute function atom_messages_come();
create trigger messages_change_come after update on messages
    referencing new table as come for each statement execute function atom_messages_come();
create trigger messages_change_go after update on messages
    referencing old table as gone for each statement execute function atom_messages_go();
create trigger messages_go after delete on messages
    referencing old table as gone for each statement execute function atom_messages_go();
"""


def upgrade() -> None:
    for statement in (MESSAGES, MESSAGE_IDS, CONVERSATIONS, COUNTING):
        op.execute(statement)
    for table in ("messages", "message_ids", "conversations"):
        op.execute(walled(table))
