"""JSON Schemas: the place and the words of each fault, and that no value is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from atom_backend.domain.configuration import CONFIGURABLE
from atom_backend.domain.integration_settings import SCHEMAS
from atom_backend.domain.json_schemas import JsonSchema
from atom_backend.domain.resources.preferences import KNOWN

EVERY = {
    **SCHEMAS,
    **{one.key: one.schema for one in (*KNOWN, *CONFIGURABLE)},
}


def parts(schema: Any) -> list[dict[str, Any]]:
    """Every object within a schema."""
    found = [schema] if isinstance(schema, dict) else []
    inner = schema.values() if isinstance(schema, dict) else schema
    for one in inner if isinstance(schema, dict | list) else []:
        found += parts(one)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_what_matches_a_pattern_is_also_said_in_words(name: str) -> None:
    for part in parts(EVERY[name].plain):
        assert "pattern" not in part or part["description"].startswith("This should be ")


def test_each_fault_has_its_place_and_no_sentence_repeats_the_value() -> None:
    schema = JsonSchema(
        {
            "type": "object",
            "properties": {
                "list": {"type": "array", "items": {"enum": ["a", "b"]}},
                "word": {"type": "string", "pattern": "^a$", "description": "This should be a."},
                "count": {"type": "integer", "maximum": 3},
            },
            "required": ["word", "other/one"],
            "additionalProperties": False,
        }
    )
    value = {"list": ["a", "hunter2"], "word": "hunter2", "count": 4, "m~n": "hunter2"}
    problems = {one.pointer: one.detail for one in schema.problems(value, ("at", 0))}
    assert problems == {
        "/at/0/list/1": 'This is not one of "a" or "b".',
        "/at/0/word": "This should be a.",
        "/at/0/count": "This is greater than the maximum of 3.",
        "/at/0/m~0n": "There is no such name here.",
        "/at/0/other~1one": "This is needed.",
    }


def test_problems_without_number_are_cut_off() -> None:
    schema = JsonSchema({"type": "array", "items": {"type": "integer"}})
    assert len(schema.problems(["x"] * 1000)) == 20
    closed = JsonSchema({"properties": {"known": {}}, "additionalProperties": False})
    assert len(closed.problems({str(number): number for number in range(1000)})) == 20
