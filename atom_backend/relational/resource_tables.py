"""The tables of the declared resources, made from their declarations.

What all have in common is in ``items``; a table here holds a resource's own columns under the same
identifier. Invariant: equal to the schema that ``migrations/`` makes; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Table,
    Uuid,
)
from sqlalchemy import Text as TextColumn
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from atom_backend.domain.resources.fields import (
    Choice,
    FieldType,
    Json,
    Moment,
    Reference,
    Share,
    Tags,
    Text,
    Whole,
)
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.relational.tables import items, metadata

_TYPES: dict[type[FieldType], TypeEngine[Any]] = {
    Text: TextColumn(),
    Choice: TextColumn(),
    Whole: BigInteger(),
    Share: Double(),
    Moment: DateTime(timezone=True),
    Reference: Uuid(),
    Tags: ARRAY(TextColumn),
    Json: JSONB(),
}


def table_of(resource: Resource) -> Table:
    """The table of its own columns; those that ``items`` has stand there."""
    own = [one for one in resource.fields if one.name not in items.c]
    indexed = {one.field for one in resource.filters if one.field not in items.c}
    return Table(
        resource.name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("owner_id", Uuid, nullable=False),
        *(Column(one.name, _TYPES[type(one.type)], nullable=one.nullable) for one in own),
        ForeignKeyConstraint(
            ["id", "owner_id"],
            ["items.id", "items.owner_id"],
            name=f"{resource.name}_item_fkey",
            ondelete="CASCADE",
        ),
        *(Index(f"{resource.name}_by_{name}", "owner_id", name) for name in sorted(indexed)),
        extend_existing=True,
    )


TABLES = {resource.name: table_of(resource) for resource in RESOURCES}
