"""From name-value pairs (query parameters, form parts) to the mapping that a model reads.

Invariant: a name that stands for one value occurs once; nothing is dropped or overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, get_origin

from pydantic import BaseModel

from atom_backend.errors import MalformedRequest


def gather(model: type[BaseModel], pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Lists for the fields that may be repeated, single values for all others.

    Raises MalformedRequest (code ``repeated_parameter``).
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in _repeatable(model):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise MalformedRequest(f"'{name[:100]}' is given twice.", code="repeated_parameter")
        else:
            found[name] = value
    return found


@cache
def _repeatable(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields that hold a tuple or a set."""
    fields = model.model_fields
    plural = (tuple, frozenset)
    return frozenset(
        name for name, field in fields.items() if get_origin(field.annotation) in plural
    )
