"""How bodies are written that are neither JSON nor forms, which the generator does not know.

Invariant: importing this module teaches it.
"""

from __future__ import annotations

import json
from typing import Any

import schemathesis

LINES = ("application/x-ndjson", "application/jsonl")
FILES = ("text/calendar", "message/rfc822", "application/mbox", "text/csv")


def _line(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """The schema is that of one line."""
    return json.dumps(value).encode() + b"\n"


def _file(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


schemathesis.serializer(*LINES)(_line)
schemathesis.serializer(*FILES)(_file)
