"""How large things may be, and what PostgreSQL can keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atom_backend.domain.metadata import check

TITLE_CHARS = 1_000
TEXT_CHARS = 10_000_000
NAME_CHARS = 512
TAGS = 64
TAG_CHARS = 128
QUERY_CHARS = 4_000
PASSWORD_FEWEST_CHARS = 10


def unstorable(text: str) -> str | None:
    """Why PostgreSQL could not keep this text, or None."""
    if "\x00" in text:
        return "must not contain the NUL character (U+0000)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not contain half of a surrogate pair"
    return None


def json_problem(metadata: Any) -> str | None:
    """Why this JSON value could not be kept, or None."""
    try:
        wrong = next(filter(None, map(unstorable, _strings(metadata))), None)
        if wrong is None:
            check(metadata)
        return wrong
    except (ValueError, TypeError, RecursionError) as error:
        return str(error)


def _strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
