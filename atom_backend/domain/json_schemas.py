"""JSON values held against a JSON Schema (draft 2020-12): what is wrong with them, and where.

Invariant: a sentence never repeats the value that it speaks of, which may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from atom_backend.errors import FieldProblem, pointer

_MOST_PROBLEMS = 20
_LONGEST_DETAIL = 300

Place = tuple[str | int, ...]


class JsonSchema:
    """A schema that values are checked by; made once, because it is compiled.

    A pattern in it has a ``description``: a sentence that says what the value should be.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.plain = dict(schema)
        self._validator = Draft202012Validator(self.plain, mask="This")

    def problems(self, value: Any, at: Place = ()) -> list[FieldProblem]:
        """What is wrong with a JSON value that stands at this place; at most 20 problems."""
        found: list[FieldProblem] = []
        for error in self._validator.iter_errors(value):
            for place, detail in self._told(error):
                found.append(FieldProblem(pointer((*at, *place)), detail[:_LONGEST_DETAIL]))
            if len(found) >= _MOST_PROBLEMS:
                break
        return found[:_MOST_PROBLEMS]

    def _told(self, error: ValidationError) -> Iterator[tuple[Place, str]]:
        """A name that is missing or unknown is told at its own place, not at the object's."""
        place = tuple(error.instance_path)
        match error.kind:
            case ValidationErrorKind.Required(property=name):
                yield (*place, name), "This is needed."
            case ValidationErrorKind.AdditionalProperties(unexpected=names):
                for name in names:
                    yield (*place, name), "There is no such name here."
            case ValidationErrorKind.Pattern():
                yield place, self._described(error) or f"{error.message}."
            case _:
                yield place, f"{error.message}."

    def _described(self, error: ValidationError) -> str | None:
        """What the schema says in words at this place; nobody wants to read a pattern."""
        part: Any = self.plain
        for step in error.schema_path[:-1]:
            part = part[step]
        found: str | None = part.get("description")
        return found
