"""I7: no password, token or key lies in plaintext where it can be read.

A canary is a secret that a client used. It is looked for as it is, and as programs write what they
do not mean to show: in hexadecimal, base64, UTF-16, escaped for JSON or for an address. Invariant:
a canary that stands anywhere in a place is found, whatever stands before and behind it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import lancedb

from tests.conftest import RunSql

Place = tuple[str, bytes]
"""What it is called, and its content."""

_TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def leaks(canaries: Mapping[str, str], places: Iterable[Place]) -> list[str]:
    """Violations of I7. ``canaries``: the secrets by what they are; a violation quotes none."""
    wanted = {form: what for what, secret in canaries.items() if secret for form in forms(secret)}
    found = [
        f"I7: {what} stands in {where}"
        for where, content in places
        for form, what in wanted.items()
        if form in content
    ]
    return list(dict.fromkeys(found))


def forms(secret: str) -> set[bytes]:
    """Every way of writing it that is looked for."""
    raw = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    texts = {secret, escaped, json.dumps(escaped)[1:-1], quote(secret, safe=""), quote_plus(secret)}
    # Without its last byte, little-endian UTF-16 is a part of the big-endian one, too.
    wide = secret.encode("utf-16-le")[:-1]
    return {
        *(text.encode() for text in texts),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        wide,
        *_in_base64(raw),
    }


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """As it stands at each of the three places where a group of bytes may begin (RFC 4648).

    Letters that also depend on what stands before or behind are left out.
    """
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(bytes(before) + raw)
        inner = whole[first : (before + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate(_URL_SAFE)


def columns(sql: RunSql) -> Iterator[Place]:
    """Every value of every row of every table, table by table."""
    for (table,) in sql(_TABLES):
        rows = sql(f'select t::text as line from "{table}" t')
        yield f"table {table}", "\n".join(row.line for row in rows).encode()


def rows(lance: Path) -> Iterator[Place]:
    """Every value of every row of every table of LanceDB, table by table."""
    database = lancedb.connect(lance)
    for name in sorted(folder.stem for folder in lance.glob("*.lance")):
        table = database.open_table(name).to_arrow()
        kept = [column for column in table.column_names if column not in {"vector", "embedding"}]
        yield f"LanceDB's {name}", str(table.select(kept).to_pylist()).encode()


def files(*folders: Path, pattern: str = "*") -> Iterator[Place]:
    """The files below some folders; what goes away meanwhile is passed over."""
    for folder in folders:
        for file in sorted(folder.rglob(pattern)):
            try:
                if file.is_file():
                    yield str(file.relative_to(folder)), file.read_bytes()
            except FileNotFoundError:
                continue
