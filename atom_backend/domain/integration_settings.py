"""What integrations may be set to: a JSON Schema for each service that is known here.

A service that is not known may have any settings, for assistants bring connections of their own.
Invariant: no secret is kept in settings, whatever the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from atom_backend.domain.json_schemas import JsonSchema, Place
from atom_backend.errors import FieldProblem, pointer

_HOST = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
    "description": "This should be the name of a host, as in mail.example.org.",
}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_SECURITY = {"enum": ["tls", "starttls"]}
_WORD = {"type": "string", "minLength": 1, "maxLength": 256}
_WORDS = {"type": "array", "items": _WORD, "uniqueItems": True, "maxItems": 200}
_URL = {
    "type": "string",
    "maxLength": 2000,
    "pattern": r"^https?://[^\s/?#@]+(?:[/?#]\S*)?$",
    "description": "This should be an http or https address, without a name and password in it.",
}

_MINUTES = {"type": "integer", "minimum": 1, "maximum": 10080}


def _closed(required: tuple[str, ...], **properties: Any) -> JsonSchema:
    """The schema of an object that has these names and no other."""
    return JsonSchema(
        {
            "type": "object",
            "properties": properties | {"every_minutes": _MINUTES},
            "required": list(required),
            "additionalProperties": False,
        }
    )


SCHEMAS: Mapping[str, JsonSchema] = {
    "imap": _closed(
        ("host",), host=_HOST, port=_PORT, security=_SECURITY, username=_WORD, folders=_WORDS
    ),
    "smtp": _closed(("host",), host=_HOST, port=_PORT, security=_SECURITY, username=_WORD),
    "caldav": _closed(("url",), url=_URL, username=_WORD, calendars=_WORDS),
    "carddav": _closed(("url",), url=_URL, username=_WORD, address_books=_WORDS),
    "calendar-feed": _closed(("url",), url=_URL),
    "news-feed": _closed(("url",), url=_URL, keep_days={"type": "integer", "minimum": 1}),
}
"""By the service's name."""

APART = "Secrets do not belong here: passwords, tokens and keys are kept apart from settings."
_SECRET = re.compile(
    r"(token|passw(or)?d|passphrase|secret|credentials?|authorization|"
    r"(api|access|private|secret|signing|encryption)key)$"
)


def settings_problems(service: str, settings: Any) -> list[FieldProblem]:
    """What is wrong with the settings of an integration, by place below ``/settings``."""
    at = ("settings",)
    schema = SCHEMAS.get(service)
    wrong = schema.problems(settings, at) if schema else []
    secrets = secret_problems(settings, at)
    told = {one.pointer for one in secrets}
    return [*secrets, *(one for one in wrong if one.pointer not in told)]


def secret_problems(value: Any, at: Place) -> list[FieldProblem]:
    """One for each name in a JSON value that says that a secret follows."""
    return [FieldProblem(pointer(place), APART) for place in _secret_places(value, at)]


def _secret_places(value: Any, at: Place) -> Iterator[Place]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if _SECRET.search(re.sub(r"[^a-z]", "", name.lower())):
                yield (*at, name)
            else:
                yield from _secret_places(inner, (*at, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secret_places(inner, (*at, index))
