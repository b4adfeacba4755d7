"""How large things may be, and the check that every draft passes on whichever way it comes in.

Invariant: what passes here can be stored: no NUL, no lone surrogate, nothing blank that must say
something, no JSON that PostgreSQL would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atom_backend.domain.documents import DocumentDraft
from atom_backend.domain.metadata import check
from atom_backend.errors import FieldProblem, InvalidInput

TITLE_CHARS = 1_000
TEXT_CHARS = 10_000_000
NAME_CHARS = 512
TAGS = 64
TAG_CHARS = 128
QUERY_CHARS = 4_000
PASSWORD_FEWEST_CHARS = 10


def check_draft(draft: DocumentDraft) -> None:
    """Raises InvalidInput with a problem for every field that is wrong."""
    problems = [
        FieldProblem(f"/{name}", detail) for name, detail in _problems(draft) if detail is not None
    ]
    if problems:
        detail = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in problems)
        raise InvalidInput(f"The document is not valid: {detail}.", problems=problems)


def _problems(draft: DocumentDraft) -> Iterator[tuple[str, str | None]]:
    yield "title", _text_problem(draft.title, TITLE_CHARS)
    yield "text", _text_problem(draft.text, TEXT_CHARS)
    for name, value in (("source", draft.source), ("external_id", draft.external_id)):
        if value is not None:
            yield name, _text_problem(value, NAME_CHARS)
    if len(draft.tags) > TAGS:
        yield "tags", f"at most {TAGS} tags"
    if len(set(draft.tags)) != len(draft.tags):
        yield "tags", "a tag is given twice"
    for place, tag in enumerate(draft.tags):
        yield f"tags/{place}", _text_problem(tag, TAG_CHARS)
    yield "metadata", json_problem(draft.metadata)


def _text_problem(text: str, longest: int) -> str | None:
    if not text.strip():
        return "must not be blank"
    if len(text) > longest:
        return f"at most {longest} characters"
    return unstorable(text)


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
        check(metadata)
        return next(filter(None, map(unstorable, _strings(metadata))), None)
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
