"""One owner's records of one resource (role ``atom_app``): the same code for every resource.

Invariant: no query names the owner in its conditions; row-level security does, so that a
forgotten condition cannot show a foreign row. The owner is named only where a row is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Row

from atom_backend.clock import new_id
from atom_backend.domain.items import content_hash
from atom_backend.domain.metadata import alike
from atom_backend.domain.resources.archives import Archived
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.registry import NAMED
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record, Values
from atom_backend.errors import Conflict, NotFound
from atom_backend.relational.conversations import PostgresConversations
from atom_backend.relational.locks import lock
from atom_backend.relational.record_columns import as_record, column
from atom_backend.relational.record_making import OWN, Making, making, restoring
from atom_backend.relational.record_queries import by_id, every, listed
from atom_backend.relational.resource_tables import ROOTS, TABLES
from atom_backend.relational.stored_values import stored
from atom_backend.relational.tables import items

_AT_ONCE = 16
"""Records to fetch of all: some have texts of megabytes."""


class PostgresRecords:
    """The records of the transaction's owner."""

    def __init__(self, connection: Connection, owner_id: UUID, resource: Resource) -> None:
        self._connection = connection
        self._owner_id = owner_id
        self._resource = resource
        self._root = ROOTS[resource.name]
        self._own = TABLES[resource.name] if resource.searchable else None

    def add(self, item_id: UUID, values: Values) -> Record:
        common, own = self._parted(values)
        if self._resource.searchable:
            common["content_hash"] = _hash(common)
        row = self._inserted(making, item_id, common, own)
        if row is None:
            raise self._taken(values)
        return self._record(row)

    def add_new(self, several: Sequence[Values]) -> int:
        if not several:
            return 0
        rows = [
            {"id": new_id(), "owner_id": self._owner_id} | self._parted(one)[0] for one in several
        ]
        added = self._connection.execute(
            insert(self._root)
            .on_conflict_do_nothing(constraint=f"{self._root.name}_external_id_key")
            .returning(self._root.c.id),
            rows,
        )
        return len(added.all())

    def restore(self, archived: Archived, values: Values) -> None:
        common, own = self._parted(values)
        as_it_was: dict[str, Any] = {
            "revision": archived.revision,
            "created_at": archived.created_at,
            "updated_at": archived.updated_at,
        }
        if self._resource.searchable:
            as_it_was["content_revision"] = archived.revision
            as_it_was["content_hash"] = _hash(common)
        if self._inserted(restoring, archived.id, common | as_it_was, own) is None:
            taken = self._taken(values)
            if taken.existing_id is not None:
                raise taken
            raise Conflict("This identifier is in use on this server.", code="id_taken")

    def redate(self, archived: Archived) -> None:
        root, past = self._root, (archived.revision, archived.updated_at)
        self._connection.execute(
            sa.update(root)
            .where(root.c.id == archived.id, sa.tuple_(root.c.revision, root.c.updated_at) != past)
            .values(revision=archived.revision, updated_at=archived.updated_at)
        )

    def everything(self) -> Iterator[Record]:
        query = every(self._resource, whole=True).order_by(self._root.c.id)
        rows = self._connection.execute(query, execution_options={"yield_per": _AT_ONCE})
        return (self._record(row) for row in rows)

    def get(self, item_id: UUID, *, for_update: bool = False, whole: bool = False) -> Record:
        query = by_id(self._resource, whole=whole, locked=for_update)
        row = self._connection.execute(query, {"id": item_id}).one_or_none()
        if row is None:
            raise NotFound()
        return self._record(row)

    def find(self, item_id: UUID) -> Record | None:
        try:
            return self.get(item_id)
        except NotFound:
            return None

    def having(self, name: str, value: Any, *, most: int) -> list[Record]:
        query = every(self._resource).where(column(self._resource, name) == value)
        rows = self._connection.execute(query.order_by(self._root.c.id).limit(most))
        return [self._record(row) for row in rows]

    def count(self, name: str, value: Any) -> int:
        one = column(self._resource, name)
        return self._connection.scalars(sa.select(sa.func.count()).where(one == value)).one()

    def alone(self) -> None:
        lock(self._connection, self._resource.name, str(self._owner_id))

    @property
    def threads(self) -> PostgresConversations:
        return PostgresConversations(self._connection, self._owner_id)

    def of(self, resource: str) -> PostgresRecords:
        return PostgresRecords(self._connection, self._owner_id, NAMED[resource])

    def by_external_id(
        self, external_id: str, *, for_update: bool = False, whole: bool = False
    ) -> Record | None:
        query = every(self._resource, whole=whole).where(self._root.c.external_id == external_id)
        if self._resource.searchable:
            # Said once more, as an equation: the unique index has the kind before the name.
            query = query.where(items.c.kind == self._resource.one)
        if for_update:
            query = query.with_for_update(of=self._root)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._record(row)

    def change(self, before: Record, values: Values) -> Record:
        after = self._parted(values)
        # What is the same already is not sent again: a text may take megabytes.
        common, own = map(_differing, after, self._parted(before.values))
        revision = self._root.c.revision + 1
        if self._resource.searchable and not common.keys().isdisjoint({"title", "text"}):
            common |= {"content_hash": _hash(after[0]), "content_revision": revision}
        common |= {"revision": revision, "updated_at": sa.func.now()}
        naming = ("external_id", *self._resource.unique)
        renamed = any(values[name] not in {None, before.values[name]} for name in naming)
        try:
            # The savepoint keeps the transaction usable after a taken name, to say whose it is.
            with self._connection.begin_nested() if renamed else nullcontext():
                self._connection.execute(
                    sa.update(self._root).where(self._root.c.id == before.id).values(common)
                )
        except Conflict:
            raise self._taken(values, but=before.id) from None
        if self._own is not None and own:
            self._connection.execute(
                sa.update(self._own).where(self._own.c.id == before.id).values(own)
            )
        return self.get(before.id)

    def remove(self, item_id: UUID) -> None:
        removed = sa.delete(self._root).where(self._root.c.id == item_id)
        if self._connection.execute(removed).rowcount == 0:
            raise NotFound()

    def listing(self, listing: Listing) -> list[Record]:
        rows = self._connection.execute(listed(self._resource, listing))
        return [self._record(row) for row in rows]

    def size(self) -> int:
        query = sa.select(sa.func.count()).select_from(self._root)
        if self._resource.searchable:
            query = query.where(items.c.kind == self._resource.one)
        return self._connection.execute(query).scalar_one()

    def _inserted(self, by: Making, item_id: UUID, common: Values, own: Values) -> Row[Any] | None:
        """What the statement gives of a new record; nothing where none could be made."""
        given = {"id": item_id, "owner_id": self._owner_id, **common}
        beside = {OWN + name: value for name, value in own.items()}
        adding = by(self._resource, frozenset(given), frozenset(own))
        return self._connection.execute(adding, given | beside).one_or_none()

    def _parted(self, values: Values) -> tuple[dict[str, Any], dict[str, Any]]:
        """What belongs into the root table, and into the resource's own beside it."""
        plain = {
            one.name: stored(one.type, values[one.name])
            for one in self._resource.fields
            if one.name in values and not one.derived
        }
        beside = _beside(self._resource)
        common = {name: value for name, value in plain.items() if name not in beside}
        if self._resource.says is not None:
            said = self._resource.says(values)
            common |= {
                "kind": self._resource.one,
                "title": said.title,
                "text": said.text,
                "happens_at": said.happens_at,
                "over_at": said.over_at,
            }
        return common, {name: value for name, value in plain.items() if name in beside}

    def _record(self, row: Row[Any]) -> Record:
        return as_record(self._resource, row)

    def _taken(self, values: Values, but: UUID | None = None) -> Conflict:
        """Says which other record has what must be one record's alone."""
        external_id, one = values["external_id"], self._resource.one
        existing = None if external_id is None else self._first(but, external_id=external_id)
        if existing is None and self._resource.unique:
            alike = {name: values[name] for name in self._resource.unique}
            return Conflict(
                f"There is another {one} with the same {' and '.join(alike)}.",
                code="already_there",
                existing_id=_spelled(self._first(but, **alike)),
            )
        return Conflict(
            f"Another {one} has this external identifier.",
            code="external_id_taken",
            existing_id=_spelled(existing),
        )

    def _first(self, but: UUID | None, **values: Any) -> UUID | None:
        """One that has these values, other than that one."""
        query = sa.select(self._root.c.id).where(
            *(self._root.c[name] == value for name, value in values.items())
        )
        if but is not None:
            query = query.where(self._root.c.id != but)
        if self._resource.searchable:
            query = query.where(items.c.kind == self._resource.one)
        return self._connection.scalar(query.limit(1))


@cache
def _beside(resource: Resource) -> frozenset[str]:
    """The columns of the resource's own table, where it has one beside the root."""
    return frozenset(TABLES[resource.name].c.keys() if resource.searchable else ())


def _hash(columns: Mapping[str, Any]) -> bytes:
    """Of what the index reads."""
    return content_hash(columns["title"], columns["text"])


def _differing(columns: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if not alike(value, before[name])}


def _spelled(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
