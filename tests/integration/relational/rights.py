"""The rights of the database roles, as PostgreSQL's catalog has them and as the docs tell them."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from atom_backend.relational.roles import DEFINER, READER, SERVICE_ROLES
from tests.conftest import RunSql

ROLES = (*SERVICE_ROLES, DEFINER, READER)
DOCUMENT = Path(__file__).parents[3] / "docs" / "database-roles.md"

_ON_TABLES = """
    select c.relname as name, coalesce(r.rolname, 'public') as role,
        lower(a.privilege_type) as may, null as column_name, 0 as place
    from pg_class c, aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
    where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
        and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select c.relname, coalesce(r.rolname, 'public'), lower(a.privilege_type), t.attname, t.attnum
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
        left join pg_roles r on r.oid = a.grantee
    where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
    order by 1, 2, 3, 5
"""
_ON_FUNCTIONS = """
    select p.proname as name, coalesce(r.rolname, 'public') as role
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        left join pg_roles r on r.oid = a.grantee
    where p.pronamespace = 'public'::regnamespace and a.grantee <> p.proowner
        and p.proname like 'atom\\_%' order by 1, 2
"""
_ORDER = ("select", "insert", "update", "delete", "usage")


def held(sql: RunSql) -> dict[str, str]:
    """A line of the document for each table, sequence and function, by its name."""
    rights: dict[str, dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(dict))
    for row in sql(_ON_TABLES):
        columns = rights[row.name][row.role].setdefault(row.may, [])
        if row.column_name:
            columns.append(row.column_name)
    for row in sql(_ON_FUNCTIONS):
        rights[f"{row.name}()"][row.role]["execute"] = []
    return {name: _line(name, by_role) for name, by_role in rights.items()}


def told() -> dict[str, str]:
    """The lines of the document, by the name that each begins with."""
    _, _, rights = DOCUMENT.read_text().partition("## Rights")
    lines = re.finditer(r"^\| `([a-z_]+(?:\(\))?)` \| (?!`).*$", rights, re.MULTILINE)
    return {line[1]: line[0] for line in lines}


def _line(name: str, by_role: dict[str, dict[str, list[str]]]) -> str:
    cells = [_cell(by_role.get(role, {})) for role in (*ROLES, "public")]
    others = by_role.keys() - {*ROLES, "public"}
    assert not others, f"{others} have rights on {name}"
    return f"| `{name}` | {' | '.join(cells)} |"


def _cell(rights: dict[str, list[str]]) -> str:
    ordered = sorted(rights, key=lambda may: (*_ORDER, may).index(may))
    return "; ".join(f"{may} ({', '.join(rights[may])})" if rights[may] else may for may in ordered)
