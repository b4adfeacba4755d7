"""Reading JSON without forgiveness (RFC 8259, I-JSON of RFC 7493).

Invariant: what is accepted means the same to every JSON parser: UTF-8 without a byte order mark,
no name twice in one object, no NaN or Infinity, no lone surrogates, no U+0000, bounded depth.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from atom_backend.errors import MalformedRequest
from atom_backend.http.validation import invalid_input, refuse_nul

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], raw: bytes) -> Model:
    """The model of a JSON text. Raises MalformedRequest or InvalidInput.

    The text is parsed twice: pydantic's strict mode knows JSON's types only when it parses itself,
    and its parser silently keeps the last of two equal names.
    """
    tree = parse(raw)
    if b"\\u0000" in raw:
        refuse_nul(tree)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise MalformedRequest(f"The body is not JSON: {error.errors()[0]['msg']}.") from None
        raise invalid_input(error, tree) from None


def parse(raw: bytes) -> Any:
    """The plain values of a JSON text. Raises MalformedRequest."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raise MalformedRequest("The body begins with a byte order mark, which JSON does not have.")
    try:
        return json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8 at byte {error.start}.") from None
    except RecursionError:
        raise MalformedRequest("The body is nested too deeply.") from None
    except ValueError as error:
        raise MalformedRequest(f"The body is not JSON: {error}.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, count in Counter(n for n, _ in pairs).items() if count > 1)
        raise MalformedRequest(
            f"The name {json.dumps(twice[:100])} stands twice in one object.", code="duplicate_key"
        )
    return found


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
