"""I7: no password, token or key lies in plaintext where it can be read.

A canary is a secret that a client used. It is looked for as it is, and as PostgreSQL and Python
print bytes, so that hiding in a ``bytea`` column does not help.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.conftest import RunSql

Place = tuple[str, str]
"""What it is called, and its text."""

_TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


def leaks(canaries: Mapping[str, str], places: Iterable[Place]) -> list[str]:
    """Violations of I7. ``canaries``: the secrets by what they are; a violation quotes none."""
    forms = {
        form: what
        for what, secret in canaries.items()
        for form in (secret, secret.encode().hex())
        if secret
    }
    return [
        f"I7: {what} stands in {where}"
        for where, text in places
        for form, what in forms.items()
        if form in text
    ]


def columns(sql: RunSql) -> Iterator[Place]:
    """Every value of every row of every table, table by table."""
    for (table,) in sql(_TABLES):
        rows = sql(f'select t::text as line from "{table}" t')
        yield f"table {table}", "\n".join(row.line for row in rows)


def files(*folders: Path, pattern: str = "*") -> Iterator[Place]:
    """The files below some folders, as text where they are not."""
    for folder in folders:
        for file in sorted(folder.rglob(pattern)):
            if file.is_file():
                yield str(file.relative_to(folder)), file.read_text(errors="replace")
