"""The check that everything new passes on whichever way it comes in: a request, a file, an import.

Invariant: what passes here can be stored: it keeps the bounds of its type, and holds no NUL, no
lone surrogate, nothing blank that must say something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from atom_backend.domain import limits
from atom_backend.domain.resources.fields import (
    Anything,
    Choice,
    Field,
    FieldType,
    Json,
    Many,
    Structure,
    Tags,
    Text,
    Whole,
)
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Values
from atom_backend.errors import FieldProblem, InvalidInput

_Found = Iterator[tuple[str, str]]
"""Places within a value, as JSON pointers, and what is wrong there."""


def check(resource: Resource, given: Values) -> None:
    """Raises InvalidInput with a problem for every field that is wrong or missing."""
    problems = [
        FieldProblem(f"/{one.name}{place}", detail)
        for one in resource.fields
        for place, detail in _field(one, given.get(one.name, one.default))
        if one.given or one.name in given
    ]
    if problems:
        detail = "; ".join(f"{one.pointer[1:]}: {one.detail}" for one in problems)
        raise InvalidInput(f"The {resource.one} is not valid: {detail}.", problems=problems)


def _field(field: Field, value: Any) -> _Found:
    if value is None and not field.nullable and not isinstance(field.type, Anything):
        yield "", "must be given"
    elif value != field.default:
        yield from _value(field.type, value)


def _value(kind: FieldType, value: Any) -> _Found:
    check_type = _CHECKS.get(type(kind))
    return iter(()) if check_type is None else check_type(kind, value)


def _text(kind: Text, value: str) -> _Found:
    if not kind.blank and not value.strip():
        yield "", "must not be blank"
    elif len(value) > kind.longest:
        yield "", f"at most {kind.longest} characters"
    elif kind.pattern is not None and not re.search(kind.pattern, value):
        yield "", f"must match {kind.pattern}"
    elif (detail := limits.unstorable(value)) is not None:
        yield "", detail


def _choice(kind: Choice, value: str) -> _Found:
    if value in kind.words:
        return
    if kind.open:
        yield from _text(Text(limits.NAME_CHARS), value)
    else:
        yield "", f"must be one of {', '.join(kind.words)}"


def _whole(kind: Whole, value: int) -> _Found:
    if not kind.least <= value <= kind.most:
        yield "", f"must be from {kind.least} to {kind.most}"


def _tags(_: Tags, value: tuple[str, ...]) -> _Found:
    if len(set(value)) != len(value):
        yield "", "a tag is given twice"
    yield from _many(Many(Text(limits.TAG_CHARS), limits.TAGS), value)


def _json(_: Json | Anything, value: Any) -> _Found:
    detail = limits.json_problem(value)
    if detail is not None:
        yield "", detail


def _structure(kind: Structure, value: Values) -> _Found:
    for one in kind.fields:
        for place, detail in _field(one, value.get(one.name)):
            yield f"/{one.name}{place}", detail


def _many(kind: Many, value: Collection[Any]) -> _Found:
    if len(value) > kind.most:
        yield "", f"at most {kind.most}"
    for number, each in enumerate(value):
        for place, detail in _value(kind.of, each):
            yield f"/{number}{place}", detail


_CHECKS: Mapping[type[FieldType], Callable[[Any, Any], _Found]] = {
    Text: _text,
    Choice: _choice,
    Whole: _whole,
    Tags: _tags,
    Json: _json,
    Anything: _json,
    Structure: _structure,
    Many: _many,
}
"""Of the types that bound what they admit; the others are as wide as their Python types."""
