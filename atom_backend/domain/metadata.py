"""The free JSON object that a user attaches to an item: its bounds, and how a patch changes it.

Invariant: what is stored keeps within the bounds, whether it came whole or by patches.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from atom_backend.errors import FieldProblem, InvalidInput

LARGEST = 64 * 1024
"""Bytes of compact JSON in UTF-8."""

DEEPEST = 16
"""Levels of nesting; a flat object has one."""

_WIDEST = 2**63


def check(metadata: Any) -> Any:
    """The same JSON value. Raises ValueError with what is wrong with it."""
    _check_value(metadata, 1)
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > LARGEST:
        raise ValueError(f"it takes {size} bytes of JSON; {LARGEST} are allowed")
    return metadata


def merged(metadata: Any, patch: Any, name: str = "metadata") -> Any:
    """The value after a JSON merge patch (RFC 7386). Raises InvalidInput when it has outgrown.

    ``name``: of the field, to say which it was.
    """
    try:
        return check(_merge(metadata, patch))
    except ValueError as error:
        raise InvalidInput(problems=[FieldProblem(f"/{name}", str(error))]) from None


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON, in which true is not 1 (as it is in Python)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _merge(target: object, patch: object) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result


def _check_value(value: object, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        for part in value.values() if isinstance(value, dict) else value:
            _check_value(part, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it holds a number that is not finite")
    elif isinstance(value, int) and not -_WIDEST <= value < _WIDEST:
        raise ValueError("it holds an integer beyond 64 bits")
