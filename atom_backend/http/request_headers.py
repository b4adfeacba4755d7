"""The request headers that change what a route does, each with its rule.

A route declares the headers it honours, and can read no other: what the API document says about
headers cannot differ from what the code does. Invariant: a header that cannot be understood is
refused, except where its specification says that it is to be ignored (``Prefer``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from atom_backend.domain.preconditions import IfMatch
from atom_backend.errors import MalformedRequest
from atom_backend.http.limits import LONGEST_WAIT

T = TypeVar("T")

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ETAGS = rf"[ \t,]*{_ETAG}(?:[ \t]*,[ \t,]*{_ETAG})*[ \t,]*"
_ETAGS_OR_STAR = rf"^(\*|{_ETAGS})$"
_REVISION = re.compile(r'"([1-9][0-9]{0,17})"')
_BARE_KEY = r"[!#-+\--~]{1,255}"
_QUOTED_KEY = r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"'
_WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


@dataclass(frozen=True)
class RequestHeader(Generic[T]):
    """A header: its name, what it means, an example, how its text becomes a value, and the pattern
    of the texts that do (empty where every text does)."""

    name: str
    description: str
    example: str
    read: Callable[[str], T]
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class IfNoneMatch:
    """Entity tags that the caller holds; ``None`` stands for ``*``."""

    tags: frozenset[str] | None

    def matches(self, etag: str) -> bool:
        """By weak comparison (RFC 9110, section 8.8.3.2)."""
        return self.tags is None or etag in self.tags


def etag(revision: int) -> str:
    """The strong entity tag of a revision."""
    return f'"{revision}"'


def _entity_tags(name: str, text: str) -> list[str] | None:
    if text.strip() == "*":
        return None
    if not re.fullmatch(_ETAGS, text):
        raise MalformedRequest(f"{name} must be '*' or a list of entity tags, as in \"3\".")
    return re.findall(_ETAG, text)


def _if_match(text: str) -> IfMatch:
    tags = _entity_tags("If-Match", text)
    if tags is None:
        return IfMatch(None)
    # Strong comparison: a weak tag, or one that we never gave out, matches nothing.
    strong = (_REVISION.fullmatch(tag) for tag in tags)
    return IfMatch(frozenset(int(match[1]) for match in strong if match))


def _if_none_match(text: str) -> IfNoneMatch:
    tags = _entity_tags("If-None-Match", text)
    return IfNoneMatch(None if tags is None else frozenset(tag.removeprefix("W/") for tag in tags))


def _wait(text: str) -> int | None:
    for preference in text.split(","):
        match = _WAIT.fullmatch(preference)
        if match:
            return min(int(match[1]), LONGEST_WAIT)
    return None


def _idempotency_key(text: str) -> str:
    text = text.strip(" \t")
    quoted = re.fullmatch(_QUOTED_KEY, text)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if re.fullmatch(_BARE_KEY, text):
        return text
    raise MalformedRequest(
        "Idempotency-Key must be 1 to 255 printable ASCII characters in double quotes.",
        code="invalid_idempotency_key",
    )


IF_MATCH = RequestHeader(
    "If-Match",
    "Write only if the resource still has this ETag, else 412 (RFC 9110, section 13.1.1).",
    '"3"',
    _if_match,
    _ETAGS_OR_STAR,
)
IF_NONE_MATCH = RequestHeader(
    "If-None-Match",
    "Answer 304 without a body if the resource still has this ETag (RFC 9110, section 13.1.2).",
    '"3"',
    _if_none_match,
    _ETAGS_OR_STAR,
)
PREFER_WAIT = RequestHeader(
    "Prefer",
    f"`wait=SECONDS`: answer when the index has followed the write, or after that time, "
    f"{LONGEST_WAIT} at most (RFC 7240, section 4.3).",
    "wait=5",
    _wait,
)
IDEMPOTENCY_KEY = RequestHeader(
    "Idempotency-Key",
    "A value of your choice for this one write: sent again with the same key, the request is not "
    "carried out again but gets the first answer (draft-ietf-httpapi-idempotency-key-header).",
    '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    _idempotency_key,
    f"^({_QUOTED_KEY}|{_BARE_KEY})$",
)
