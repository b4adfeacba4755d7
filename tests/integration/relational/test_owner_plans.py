"""However a list is asked for, PostgreSQL goes to the rows of its owner and past all others.

So does the plan that it makes for the values at hand, and the one that it keeps for any. They are
those that PostgreSQL makes when it may not read whole tables: where no index leads to
an owner's rows, one still would be read whole, or an index without the owner.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from atom_backend.domain.resources import fields
from atom_backend.domain.resources.listing import Condition, Listing, Match
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.relational.engine import create_engine
from atom_backend.relational.record_queries import listed

_SAMPLES: dict[type[fields.FieldType], Any] = {
    fields.Text: "word",
    fields.Whole: 1,
    fields.Share: 0.5,
    fields.Truth: True,
    fields.Amount: Decimal(1),
    fields.Moment: datetime(2030, 1, 1, tzinfo=UTC),
    fields.WallTime: datetime(2030, 1, 1, tzinfo=UTC),
    fields.Reference: UUID(int=1),
}


_NEWEST_PLAN = sa.text("""
    select name, cardinality(parameter_types) from pg_prepared_statements
    order by prepare_time desc limit 1
""")


class Explained(sa.Executable, sa.ClauseElement):
    """The plan of a statement."""

    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(Explained)
def _explain(element: Explained, compiler: Any, **options: Any) -> str:
    return f"explain (format json) {compiler.process(element.statement, **options)}"


def _asked(resource: Resource) -> Iterator[tuple[str, Listing]]:
    yield "newest", Listing(20)
    for sort in resource.sorts:
        yield f"sort {sort}", Listing(20, sort=sort)
    for one in resource.filters:
        if one.test is Match.WORDS:
            value: Any = "word"
        elif one.test is Match.HOLDS:
            value = "tag"
        else:
            kind = resource.field(one.field).type
            value = kind.words[0] if isinstance(kind, fields.Choice) else _SAMPLES[type(kind)]
        yield f"{one.name}", Listing(20, (Condition(one.field, one.test, value),))
    for flag in resource.flags:
        yield flag.name, Listing(20, flag.conditions)
    yield "tag", Listing(20, (Condition("tags", Match.HOLDS, "x"),))


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = create_engine(database_url, max_connections=1)
    with engine.connect() as connection:
        connection.execute(
            sa.text("""
                select set_config('role', 'atom_app', true),
                    set_config('atom.owner_id', :owner, true),
                    set_config('enable_seqscan', 'off', true),
                    set_config('plan_cache_mode', 'force_generic_plan', true)
            """),
            {"owner": str(UUID(int=7))},
        )
        yield connection
    engine.dispose()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_a_list_goes_to_its_owners_rows(connection: sa.Connection, resource: Resource) -> None:
    for name, listing in _asked(resource):
        query = listed(resource, listing)
        for (plan,) in (connection.scalar(Explained(query)), _kept(connection, query)):
            scans = list(_scans(plan["Plan"]))
            assert scans, name
            for scan in scans:
                led_by = scan.get("Index Cond", "") + scan.get("Recheck Cond", "")
                assert "owner_id" in led_by or "id = " in led_by, (name, scan)


def _kept(connection: sa.Connection, query: sa.Select[Any]) -> Any:
    """The plan for any values; which ones it is asked with makes no difference then."""
    connection.execute(query)
    name, parameters = connection.execute(_NEWEST_PLAN).one()
    given = f"({', '.join(['null'] * parameters)})" if parameters else ""
    return connection.scalar(sa.text(f"explain (format json) execute {name}{given}"))


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes that read rows of a table."""
    if "Relation Name" in node:
        yield node
    for part in node.get("Plans", ()):
        yield from _scans(part)
