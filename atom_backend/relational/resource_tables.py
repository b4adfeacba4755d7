"""The tables of the declared resources, made from their declarations.

What searchable ones have in common is in ``items``, and a table here holds a resource's own columns
under the same identifier; a plain one has all its columns here. Invariant: equal to the schema that
``migrations/`` makes; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Constraint,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy import Text as TextColumn
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from atom_backend.domain.finance.money import DECIMAL_PLACES
from atom_backend.domain.resources import fields as declared
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.relational.tables import items, metadata

_TYPES: dict[type[declared.FieldType], TypeEngine[Any]] = {
    declared.Text: TextColumn(),
    declared.Choice: TextColumn(),
    declared.Whole: BigInteger(),
    declared.Share: Double(),
    declared.Truth: Boolean(),
    declared.Moment: DateTime(timezone=True),
    declared.WallTime: DateTime(timezone=True),
    declared.Reference: Uuid(),
    declared.Tags: ARRAY(TextColumn),
    declared.Json: JSONB(),
    declared.Anything: JSONB(),
    declared.Structure: JSONB(none_as_null=True),
    declared.Many: JSONB(),
}
SHARED = frozenset({"title", "text", "source", "external_id", "tags", "metadata"})
"""The fields of searchable records that stand in ``items``."""


def _searchable(resource: Resource) -> Table:
    """The table of its own columns; those that ``items`` has stand there."""
    own = [one for one in resource.fields if one.name not in SHARED]
    return Table(
        resource.name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("owner_id", Uuid, nullable=False),
        *map(_column, own),
        ForeignKeyConstraint(
            ["id", "owner_id"],
            ["items.id", "items.owner_id"],
            name=f"{resource.name}_item_fkey",
            ondelete="CASCADE",
        ),
        *_indexes(resource, {one.name for one in own}),
    )


def _plain(resource: Resource) -> Table:
    return Table(
        resource.name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        Column("revision", BigInteger, nullable=False, server_default="1"),
        *(_column(one) for one in resource.own),
        Column("source", TextColumn),
        Column("external_id", TextColumn),
        Column("tags", ARRAY(TextColumn), nullable=False, server_default=text("'{}'")),
        Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        UniqueConstraint("owner_id", "external_id", name=f"{resource.name}_external_id_key"),
        UniqueConstraint("id", "owner_id", name=f"{resource.name}_owner_key"),
        *_alone(resource),
        Index(f"{resource.name}_by_owner", "owner_id", "id"),
        *_keys(resource),
        *_indexes(resource, {one.name for one in resource.own}),
    )


def _alone(resource: Resource) -> list[SchemaItem]:
    """What keeps two records from having all of the ``unique`` fields alike."""
    names = ("owner_id", *resource.unique)
    return [UniqueConstraint(*names, name=f"{resource.name}_key")] if resource.unique else []


def _keys(resource: Resource) -> Iterator[Constraint]:
    """What ties a record to the one that it is a part of, and the other way round."""
    for name, part in _parts(resource):
        yield ForeignKeyConstraint(
            [name, "owner_id", *part.repeats],
            [f"{part.within}.{one}" for one in ("id", "owner_id", *part.repeats)],
            name=f"{resource.name}_{name}_fkey",
            ondelete="CASCADE",
        )
    repeated = {
        part.repeats
        for one in RESOURCES
        for _, part in _parts(one)
        if part.repeats and part.within == resource.name
    }
    for names in sorted(repeated):
        yield UniqueConstraint(
            "id", "owner_id", *names, name=f"{resource.name}_{'_'.join(names)}_key"
        )


def _parts(resource: Resource) -> Iterator[tuple[str, declared.Reference]]:
    for one in resource.own:
        if isinstance(one.type, declared.Reference) and one.type.within is not None:
            yield one.name, one.type


def _column(field: declared.Field) -> Column[Any]:
    if isinstance(field.type, declared.Amount):
        kind: TypeEngine[Any] = Numeric(field.type.widest, DECIMAL_PLACES)
    else:
        kind = _TYPES[type(field.type)]
    made = str(field.default) if field.derived else None
    return Column(field.name, kind, nullable=field.nullable, server_default=made)


def _indexes(resource: Resource, own: set[str]) -> list[SchemaItem]:
    """One for each column of its own that a list can be asked about."""
    named = sorted({one.field for one in resource.filters} & own)
    return [Index(f"{resource.name}_by_{name}", "owner_id", name) for name in named]


TABLES = {
    resource.name: (_searchable if resource.searchable else _plain)(resource)
    for resource in RESOURCES
}

ROOTS = {one.name: items if one.searchable else TABLES[one.name] for one in RESOURCES}
"""The table that has a row for each record, with what all resources have in common."""
