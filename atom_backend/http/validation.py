"""From pydantic's findings to our errors: a JSON pointer (RFC 6901) and a sentence each.

Invariant: a message says what is wrong with a value and never repeats the value itself, which may
be a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from atom_backend.errors import FieldProblem, InvalidInput, pointer
from atom_backend.http.limits import PROBLEMS_SHOWN

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]


def invalid_input(error: ValidationError, given: object) -> InvalidInput:
    """``given`` is what was validated, as plain JSON values: it tells fields from union tags."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidInput(
        problems=[
            FieldProblem(pointer(_place(one["loc"], given)), one["msg"])
            for one in found[:PROBLEMS_SHOWN]
        ]
    )


def validated(model: type[Model], given: Mapping[str, Any]) -> Model:
    """The model of values that came as text (query parameters, form fields)."""
    refuse_nul(given)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid_input(error, given) from None


def refuse_nul(tree: object) -> None:
    """Raises InvalidInput when a text in the tree holds U+0000, which PostgreSQL cannot store."""
    problems = [
        FieldProblem(pointer(place), "The character U+0000 cannot be stored.")
        for place in _nul_places(tree, ())
    ]
    if problems:
        raise InvalidInput(problems=problems[:PROBLEMS_SHOWN])


def _place(location: Location, given: object) -> Location:
    """The location without what is no part of the input, such as the tag of a union."""
    place: list[int | str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(given, dict) and (part in given or last):
            place.append(part)
            given = given.get(part)
        elif isinstance(given, list) and isinstance(part, int) and part < len(given):
            place.append(part)
            given = given[part]
    return tuple(place)


def _nul_places(tree: object, place: Location) -> Iterator[Location]:
    if isinstance(tree, str) and "\x00" in tree:
        yield place
    elif isinstance(tree, Mapping):
        for name, value in tree.items():
            if "\x00" in name:
                yield (*place, name)
            yield from _nul_places(value, (*place, name))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _nul_places(value, (*place, index))
