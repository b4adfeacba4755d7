"""Page cursors: opaque to callers, checked when they come back.

Invariant: a cursor continues the question that it was given for, and no other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from uuid import UUID

from pydantic import BaseModel

from atom_backend.errors import MalformedRequest

PATTERN = "[A-Za-z0-9_-]{22}"
"""Of every cursor: 16 bytes in base64url (RFC 4648, section 5) without padding."""

SORTED_PATTERN = "[A-Za-z0-9_-]{22,8192}"
"""Of a list in an order of the caller's choice: JSON of the order and of the last item's place."""

_NUMBER_BYTES = 16
_OFFSET_BYTES = 4
_DIGEST_BYTES = 12


def after_number(number: int) -> str:
    """The cursor of the page that begins after the entry with this number."""
    return _encode(number.to_bytes(_NUMBER_BYTES, "big"))


def read_number(cursor: str) -> int:
    """Raises MalformedRequest (code ``invalid_cursor``)."""
    number = int.from_bytes(_decode(cursor), "big")
    if number >= 1 << 63:
        raise MalformedRequest("This cursor is not one of ours.", code="invalid_cursor")
    return number


def after_identifier(identifier: UUID) -> str:
    """The cursor of the page that begins after what has this identifier."""
    return _encode(identifier.bytes)


def read_identifier(cursor: str) -> UUID:
    """Raises MalformedRequest (code ``invalid_cursor``)."""
    return UUID(bytes=_decode(cursor))


def at_offset(question: BaseModel, offset: int) -> str:
    """The cursor of a question's results from ``offset`` on."""
    return _encode(offset.to_bytes(_OFFSET_BYTES, "big") + _digest(question))


def read_offset(cursor: str, question: BaseModel) -> int:
    """Raises MalformedRequest (code ``invalid_cursor``), also for another question's cursor."""
    raw = _decode(cursor)
    if raw[_OFFSET_BYTES:] != _digest(question):
        raise MalformedRequest("This cursor belongs to another search.", code="invalid_cursor")
    return int.from_bytes(raw[:_OFFSET_BYTES], "big")


def after_sorted(sort: str, value: str | float | None, item_id: UUID) -> str:
    """The cursor of the page that begins after this item, in a list ordered by ``sort``."""
    place = json.dumps([sort, value, item_id.hex], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()


def read_sorted(cursor: str, sort: str) -> tuple[str | float | None, UUID]:
    """Raises MalformedRequest (code ``invalid_cursor``), also for another order's cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        given, value, item_id = place
        if given == sort and isinstance(value, str | float | int | None):
            return value, UUID(hex=item_id)
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise MalformedRequest("This cursor belongs to another list.", code="invalid_cursor")


def _digest(question: BaseModel) -> bytes:
    canonical = question.model_dump_json().encode()
    return hashlib.sha256(canonical).digest()[:_DIGEST_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(cursor: str) -> bytes:
    if not re.fullmatch(PATTERN, cursor):
        raise MalformedRequest("This cursor is not one of ours.", code="invalid_cursor")
    return base64.urlsafe_b64decode(cursor + "==")
