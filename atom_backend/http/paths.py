"""Path parameters: from a piece of an address to the value that a handler takes.

Invariant: an identifier has one spelling, so that one resource has one address; what cannot be an
identifier of ours matches no rule, and is answered like anything else that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from werkzeug.routing import BaseConverter

from atom_backend.errors import FieldProblem, InvalidInput, MalformedRequest, pointer
from atom_backend.http.validation import refuse_nul

UUID_PATTERN = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_PARAMETER = re.compile(r"\{(\w+)\}")


class Identifier(BaseConverter):
    """A UUID in its usual spelling (RFC 9562, section 4)."""

    regex = UUID_PATTERN

    def to_python(self, value: str) -> UUID:
        return UUID(value)


class Anything(BaseConverter):
    """The rest of a path, slashes included, wherever they stand."""

    regex = ".+"
    part_isolating = False


def flask_rule(path: str, types: dict[str, Any]) -> str:
    """The Flask rule of a declared path; only free texts, which end a path, may hold slashes."""

    def converter(match: re.Match[str]) -> str:
        kind = "identifier" if types[match[1]] is UUID else "anything"
        return f"<{kind}:{match[1]}>"

    return _PARAMETER.sub(converter, path)


def reader(name: str, type_: Any) -> Callable[[Any], Any]:
    """What turns what a rule matched into a parameter's value; raises InvalidInput."""
    if type_ is UUID:
        return lambda identifier: identifier
    adapter: TypeAdapter[Any] = TypeAdapter(type_)

    def read(text: str) -> Any:
        refuse_nul({name: text})
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            detail = error.errors(include_input=False)[0]["msg"]
            raise InvalidInput(problems=[FieldProblem(pointer((name,)), detail)]) from None

    return read


def require_utf8(path_info: str) -> None:
    """Raises MalformedRequest for bytes that Flask would replace.

    ``path_info`` as WSGI gives it: bytes written as ISO 8859-1 (PEP 3333).
    """
    try:
        path_info.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise MalformedRequest("The path is not UTF-8.") from None
