"""Tasks in bare SQL: the statements that a task service cannot do without, and nothing around them.

As the superuser, without row-level security, sign-in or any check; each connection commits by
itself, and a creation writes the same three rows as the service in one round trip. What it makes is
not due before tomorrow: else the worker would index, beside the service, for those who have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import connection, cursor

from atom_backend.clock import new_id
from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.provision import service_urls
from benchmarks.bare import dsn
from benchmarks.service import Service

_COLUMNS = """
select items.*, tasks.*, state, reason, chunk_count
from items join tasks using (id) left join index_entries on item_id = id
where items.owner_id = %(owner)s
"""
_LIST = _COLUMNS + "and items.kind = 'task' order by items.id desc limit %(limit)s"
_GET = _COLUMNS + "and id = %(id)s"
_CREATE = """
with item as (
    insert into items (id, owner_id, kind, content_hash, title, text)
    values (%(id)s, %(owner)s, 'task', sha256(%(title)s), %(title)s, %(title)s)
    returning id, owner_id
), task as (
    insert into tasks (id, owner_id, status, priority, position, time_zone)
    select id, owner_id, 'todo', 0, 0, 'UTC' from item
)
insert into index_entries (item_id, owner_id, kind, revision, state, due_at, requested_at)
select id, owner_id, 'task', 1, 'due', now() + interval '1 day', now() from item
"""
_FILL = """
with item as (
    insert into items (id, owner_id, kind, content_hash, title, text)
    select given.id, owner, 'task', sha256(title::bytea), title, title
    from unnest(%(ids)s::uuid[], %(owners)s::uuid[]) with ordinality given (id, owner, n),
        lateral (select 'Errand number ' || n as title) said
    returning id, owner_id
), task as (
    insert into tasks (id, owner_id, status, priority, position, time_zone)
    select id, owner_id, 'todo', 0, 0, 'UTC' from item
)
insert into index_entries (item_id, owner_id, kind, revision, leased_revision, indexed_revision,
    state, due_at, requested_at, spec, chunk_count, settled_at)
select id, owner_id, 'task', 1, 1, 1, 'settled', now(), now(), 'none', 1, now()
from item
"""


class BareRecords:
    """One owner's tasks, by one cursor."""

    def __init__(self, asking: cursor, owner_id: UUID | str) -> None:
        self._cursor = asking
        self._owner = str(owner_id)

    def listed(self, limit: int) -> list[tuple[Any, ...]]:
        self._cursor.execute(_LIST, {"owner": self._owner, "limit": limit})
        return self._cursor.fetchall()

    def read(self, item_id: str) -> tuple[Any, ...] | None:
        self._cursor.execute(_GET, {"owner": self._owner, "id": item_id})
        return self._cursor.fetchone()

    def create(self, title: str) -> None:
        given = {"id": str(new_id()), "owner": self._owner, "title": title}
        self._cursor.execute(_CREATE, given)


def fill(postgres: connection, owners: Sequence[UUID], rows: int) -> dict[UUID, list[str]]:
    """So many tasks, in turn one of each owner, all said to be indexed; their identifiers."""
    known: dict[UUID, list[str]] = {owner: [] for owner in owners}
    ids, named = [], []
    for n in range(rows):
        owner, item_id = owners[n % len(owners)], str(new_id())
        known[owner].append(item_id)
        ids.append(item_id)
        named.append(str(owner))
    with postgres.cursor() as asking:
        asking.execute(_FILL, {"ids": ids, "owners": named})
        asking.execute("vacuum analyze")
    return known


@contextmanager
def postgres_of(
    service: Service,
) -> Iterator[tuple[str, Callable[[], AbstractContextManager[connection]]]]:
    """The address, and connections to a running service's embedded PostgreSQL, as its superuser."""
    with closing(start_embedded(service.data_folder / "postgres")) as server:
        address = dsn(service_urls(server).owner)
        yield address, lambda: closing(_committing(psycopg2.connect(address)))


def _committing(postgres: connection) -> connection:
    """Each statement by itself."""
    postgres.autocommit = True
    return postgres
