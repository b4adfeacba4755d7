"""A filter of LanceDB is made of identifiers, numbers and kinds, and cannot be made of a text.

mypy says so for every call in the house: it would report each ``type: ignore`` below as unused if a
signature took texts. The tests say so for what comes at run time in spite of that.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from atom_backend.domain.items import Kind
from atom_backend.domain.principals import OwnerScope
from atom_backend.vectors import filters
from tests.injections import injections

ITEM = UUID("01900000-0000-7000-8000-00000000000a")
OWNER = UUID("01900000-0000-7000-8000-00000000000b")
SCOPE = OwnerScope(OWNER)
TEXTS = injections(OWNER, ITEM)
VECTORS = Path(filters.__file__).parent

MAKERS = [
    one
    for name, one in inspect.getmembers(filters, inspect.isfunction)
    if not name.startswith("_") and one.__module__ == filters.__name__
]
MAY_STAND_IN_A_FILTER = {UUID, int, Kind, OwnerScope, type(None)}

_TAKES_A_FILTER = {"where", "delete", "count_rows"}
_VALUE = re.compile(r"X'[0-9a-f]{32}'|'(document|task|memory|message|event)'|\b[0-9]+\b")
_WORD = re.compile(r"\b(owner_id|document_id|kind|fence|IN|AND|OR|false)\b|[(),=<> ]")


def leaves(hint: Any) -> Iterator[Any]:
    """The types that the values of a type are made of: those inside its collections and unions."""
    parts = typing.get_args(hint)
    if not parts:
        yield hint
    for part in parts:
        yield from leaves(part)


def test_every_function_that_makes_a_filter_takes_only_values_that_cannot_be_words() -> None:
    assert {one.__name__ for one in MAKERS} == (
        {"visible", "items", "older", "fenced", "foreign", "batches"}
    )
    for maker in MAKERS:
        hints = typing.get_type_hints(maker)
        del hints["return"]
        for name, hint in hints.items():
            assert set(leaves(hint)) <= MAY_STAND_IN_A_FILTER, f"{maker.__name__}({name})"


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_in_the_place_of_a_value_is_refused(text: str) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: filters.visible(text),  # type: ignore[arg-type]
        lambda: filters.visible(OwnerScope(text)),  # type: ignore[arg-type]
        lambda: filters.visible(SCOPE, [text]),  # type: ignore[list-item]
        lambda: filters.visible(SCOPE, item_ids=[text]),  # type: ignore[list-item]
        lambda: filters.items([text]),  # type: ignore[list-item]
        lambda: filters.older([ITEM], text),  # type: ignore[arg-type]
        lambda: filters.older([text], 1),  # type: ignore[list-item]
        lambda: filters.fenced([ITEM], text),  # type: ignore[arg-type]
        lambda: filters.foreign({text: OWNER}),  # type: ignore[dict-item]
        lambda: filters.foreign({ITEM: text}),  # type: ignore[dict-item]
    ]
    for attempt in attempts:
        with pytest.raises((AttributeError, TypeError, ValueError)):
            attempt()


def test_a_filter_holds_columns_operators_and_plain_values_and_nothing_else() -> None:
    made = [
        filters.visible(SCOPE),
        filters.visible(SCOPE, [*Kind], [ITEM, OWNER]),
        filters.visible(SCOPE, item_ids=[]),
        filters.items([ITEM]),
        filters.older([ITEM], 7),
        filters.fenced([ITEM], 7),
        filters.foreign({ITEM: OWNER, OWNER: ITEM}),
        filters.foreign({}),
    ]
    for one in made:
        assert _WORD.sub("", _VALUE.sub("", one)) == "", one


def test_what_a_user_may_see_begins_with_the_owner_and_only_narrows() -> None:
    owner = filters.visible(SCOPE)
    assert owner == f"owner_id = X'{OWNER.hex}'"
    narrowed = filters.visible(SCOPE, [Kind.TASK], [ITEM])
    assert narrowed.startswith(f"{owner} AND ")
    assert " OR " not in narrowed


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(VECTORS.glob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_no_other_module_makes_a_filter() -> None:
    for path, tree in trees():
        if path.name != "filters.py":
            calls = [one.func for one in ast.walk(tree) if isinstance(one, ast.Call)]
            names = {one.id for one in calls if isinstance(one, ast.Name)}
            assert "Filter" not in names, path


def test_lancedb_is_given_filters_only_from_there() -> None:
    """LanceDB carries no types, so that mypy does not look at what it is given."""
    seen = 0
    for path, tree in trees():
        made = _filters_of(tree)
        for call in _calls_that_take_a_filter(tree):
            for given in (*call.args, *(one.value for one in call.keywords)):
                seen += 1
                assert _is_made_there(given, made), f"{path.name}:{call.lineno}"
    assert seen >= 10


def _calls_that_take_a_filter(tree: ast.Module) -> Iterator[ast.Call]:
    for one in ast.walk(tree):
        called = one.func if isinstance(one, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in _TAKES_A_FILTER:
            assert isinstance(one, ast.Call)
            yield one


def _filters_of(tree: ast.Module) -> set[str]:
    """The names in a module that are filters: assigned from ``filters``, or declared as such."""
    names = {
        target.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and _from_filters(one.value)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    other = {
        target.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and not _from_filters(one.value)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    declared = {
        one.arg
        for one in ast.walk(tree)
        if isinstance(one, ast.arg)
        and isinstance(one.annotation, ast.Name)
        and one.annotation.id == "Filter"
    }
    return (names | declared) - other


def _from_filters(value: ast.AST) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "filters"
    )


def _is_made_there(given: ast.AST, made: set[str]) -> bool:
    return _from_filters(given) or (isinstance(given, ast.Name) and given.id in made)
